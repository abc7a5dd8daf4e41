"""Queries on tokens. Only digests of secrets are stored."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, delete, insert, select, update

from tintype.catalogue.publications import read_links
from tintype.catalogue.tables import accounts, people, publications, tokens
from tintype.catalogue.transaction import Transaction
from tintype.model import Account, Person, Token, TokenKind

MAX_DELETED = 100
"""The most old tokens of an app that are deleted at once: an issue adds two."""


def add(tx: Transaction, token: Token, digest: str) -> None:
    """Add a token under the digest of its secret."""
    tx.execute(
        insert(tokens).values(
            id=token.id,
            account_id=token.account.id,
            person_id=token.person.id,
            dialect=token.dialect,
            kind=token.kind.value,
            label=token.label,
            digest=digest,
            hint=token.hint,
            role=token.role,
            scopes=" ".join(sorted(token.scopes)),
            issued_for=token.issued_for,
            created_at=token.created_at,
            expires_at=token.expires_at,
            app_id=token.app_id,
        )
    )


def by_digest(tx: Transaction, dialect: str, digests: Sequence[str]) -> dict[str, Token]:
    """The tokens of a dialect with these digests, by digest, in one query."""
    rows = tx.execute(_select_tokens().where(tokens.c.dialect == dialect, tokens.c.digest.in_(digests)))
    return {row.digest: _token(row) for row in rows}


def list_all(tx: Transaction, account: str | None = None) -> list[Token]:
    """All tokens, or those of the account of that name, oldest first."""
    query = _select_tokens().order_by(tokens.c.created_at, tokens.c.id)
    if account is not None:
        query = query.where(accounts.c.name == account)
    return [_token(row) for row in tx.execute(query)]


def get(tx: Transaction, id: UUID) -> Token | None:
    """The token with this id; None if there is none."""
    row = tx.execute(_select_tokens().where(tokens.c.id == id)).first()
    return None if row is None else _token(row)


def revoke(tx: Transaction, id: UUID, now: datetime) -> None:
    """Revoke a token and those issued for it; tokens already revoked keep their time."""
    affected = (tokens.c.id == id) | (tokens.c.issued_for == id)
    tx.execute(update(tokens).where(affected, tokens.c.revoked_at.is_(None)).values(revoked_at=now))


def use(tx: Transaction, id: UUID, now: datetime) -> None:
    """Mark a refresh token as used, and revoke it and the access tokens issued for it."""
    tx.execute(update(tokens).where(tokens.c.id == id).values(used_at=now))
    revoke(tx, id, now)


def revoke_all_of_app(tx: Transaction, app_id: UUID, now: datetime, person_id: int | None = None) -> None:
    """Revoke the tokens of an OAuth app, of one person or of all."""
    query = update(tokens).where(tokens.c.app_id == app_id, tokens.c.revoked_at.is_(None))
    if person_id is not None:
        query = query.where(tokens.c.person_id == person_id)
    tx.execute(query.values(revoked_at=now))


def delete_oldest_of_app(tx: Transaction, app_id: UUID, person_id: int, kept: int) -> None:
    """Delete the tokens that an app has for a person, but for the newest ones."""
    own = (tokens.c.app_id == app_id, tokens.c.person_id == person_id)
    # In the order of their ids, UUIDs of version 7: one transaction adds several at the same time.
    rows = tx.execute(
        select(tokens.c.id).where(*own).order_by(tokens.c.id.desc()).limit(MAX_DELETED).offset(kept)
    )
    old = [row.id for row in rows]
    if old:
        tx.execute(delete(tokens).where(*own, tokens.c.issued_for.in_(old)))
        tx.execute(delete(tokens).where(tokens.c.id.in_(old)))


@cache
def _select_tokens() -> Select[Any]:
    published = and_(
        publications.c.account_id == tokens.c.account_id, publications.c.dialect == tokens.c.dialect
    )
    return (
        select(
            tokens,
            accounts.c.name.label("account_name"),
            accounts.c.number.label("account_number"),
            people.c.name.label("person_name"),
            publications.c.dialect.is_not(None).label("published"),
            publications.c.links,
        )
        .join(accounts, accounts.c.id == tokens.c.account_id)
        .join(people, people.c.id == tokens.c.person_id)
        .outerjoin(publications, published)
    )


def _token(row: Row[Any]) -> Token:
    return Token(
        id=row.id,
        account=Account(row.account_id, row.account_name, row.account_number),
        person=Person(row.person_id, row.person_name),
        dialect=row.dialect,
        kind=TokenKind(row.kind),
        label=row.label,
        hint=row.hint,
        role=row.role,
        scopes=frozenset(row.scopes.split()),
        issued_for=row.issued_for,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        published=row.published,
        links=read_links(row.links),
        app_id=row.app_id,
        used_at=row.used_at,
    )
