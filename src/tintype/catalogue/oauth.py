"""Queries on OAuth apps and codes. Only digests of codes are stored."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, update

from tintype.catalogue.tables import accounts, oauth_apps, oauth_codes, people
from tintype.catalogue.transaction import Transaction
from tintype.model import Account, OAuthApp, OAuthCode, Person


def add_app(tx: Transaction, app: OAuthApp) -> None:
    """Add an app."""
    tx.execute(
        insert(oauth_apps).values(
            id=app.id,
            dialect=app.dialect,
            client_id=app.client_id,
            name=app.name,
            redirect_url=app.redirect_url,
            secret_state=app.secret_state,
            created_at=app.created_at,
        )
    )


def find_app(tx: Transaction, client_id: str) -> OAuthApp | None:
    """The app with this client id, revoked or not; None if there is none."""
    row = tx.execute(select(oauth_apps).where(oauth_apps.c.client_id == client_id)).first()
    return None if row is None else _app(row)


def list_apps(tx: Transaction) -> list[OAuthApp]:
    """All apps, oldest first."""
    return [
        _app(row) for row in tx.execute(select(oauth_apps).order_by(oauth_apps.c.created_at, oauth_apps.c.id))
    ]


def revoke_app(tx: Transaction, app_id: UUID, now: datetime) -> None:
    """Revoke an app, whose codes are deleted; one that is revoked already keeps its time."""
    query = update(oauth_apps).where(oauth_apps.c.id == app_id, oauth_apps.c.revoked_at.is_(None))
    tx.execute(query.values(revoked_at=now))
    tx.execute(delete(oauth_codes).where(oauth_codes.c.app_id == app_id))


def add_code(tx: Transaction, code: OAuthCode, digest: str) -> None:
    """Add a code under its digest."""
    tx.execute(
        insert(oauth_codes).values(
            digest=digest,
            app_id=code.app_id,
            account_id=code.account.id,
            person_id=code.person.id,
            scopes=" ".join(sorted(code.scopes)),
            expires_at=code.expires_at,
        )
    )


def find_code(tx: Transaction, app_id: UUID, digest: str) -> OAuthCode | None:
    """The code of an app, used or not, expired or not; None if there is none."""
    query = (
        select(
            oauth_codes,
            accounts.c.name.label("account_name"),
            accounts.c.number.label("account_number"),
            people.c.name.label("person_name"),
        )
        .join(accounts, accounts.c.id == oauth_codes.c.account_id)
        .join(people, people.c.id == oauth_codes.c.person_id)
        .where(oauth_codes.c.digest == digest, oauth_codes.c.app_id == app_id)
    )
    row = tx.execute(query).first()
    return None if row is None else _code(row)


def use_code(tx: Transaction, digest: str, now: datetime) -> None:
    """Mark a code as used."""
    tx.execute(update(oauth_codes).where(oauth_codes.c.digest == digest).values(used_at=now))


def delete_expired_codes(tx: Transaction, now: datetime) -> None:
    """Delete the codes that have expired, of all apps."""
    tx.execute(delete(oauth_codes).where(oauth_codes.c.expires_at <= now))


def _app(row: Row[Any]) -> OAuthApp:
    return OAuthApp(
        id=row.id,
        dialect=row.dialect,
        client_id=row.client_id,
        name=row.name,
        redirect_url=row.redirect_url,
        secret_state=row.secret_state,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
    )


def _code(row: Row[Any]) -> OAuthCode:
    return OAuthCode(
        app_id=row.app_id,
        account=Account(row.account_id, row.account_name, row.account_number),
        person=Person(row.person_id, row.person_name),
        scopes=frozenset(row.scopes.split()),
        expires_at=row.expires_at,
        used_at=row.used_at,
    )
