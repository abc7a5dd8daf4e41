"""Queries on tokens. Only digests of secrets are stored."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, insert, select, update

from tintype.catalogue.publications import read_links
from tintype.catalogue.tables import accounts, people, publications, tokens
from tintype.catalogue.transaction import Transaction
from tintype.model import Account, Person, Token, TokenKind


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
    )
