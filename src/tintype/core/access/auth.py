"""Authentication and authorization: tokens, roles and scopes."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import uuid_utils.compat

from tintype.catalogue import Transaction, accounts, tokens
from tintype.core.access import audit
from tintype.core.access.accounts import get_account
from tintype.core.access.publication import change_publications
from tintype.core.delivery.disk_space import with_reserve
from tintype.core.services import Services
from tintype.model import (
    Account,
    Actor,
    Caller,
    ExpiredToken,
    Forbidden,
    Invalid,
    NotFound,
    NoToken,
    Person,
    Token,
    TokenKind,
    UnknownToken,
)
from tintype.model.audit import Event

MAX_NAME = 255
"""The longest name of an account or a person, in characters; the catalogue's columns have this size."""
SECRET_BYTES = 32
"""Random bytes of a token: too many to guess, so a plain SHA-256 of it can be stored."""


async def authenticate(services: Services, dialect: str, secret: str | None) -> Caller:
    """The caller behind an access token.

    Raises:
        NoToken: when there is none.
        UnknownToken: when it is not known, or revoked.
        ExpiredToken: when it has expired.
        Forbidden: when the account doesn't publish through the dialect.
    """
    if not secret:
        raise NoToken("A token is required.")
    (token,) = await _find_tokens(services, dialect, [secret])
    return _caller(services, token, TokenKind.ACCESS)


async def authenticate_pair(services: Services, dialect: str, client: str, access: str) -> Caller:
    """The caller behind an access token that was issued for a client token.

    Raises:
        UnknownToken: when one was not issued for the other.
        Error: as `authenticate`.
    """
    if not client or not access:
        raise NoToken("Two tokens are required.")
    client_token, access_token = await _find_tokens(services, dialect, [client, access])
    _caller(services, client_token, TokenKind.CLIENT)
    caller = _caller(services, access_token, TokenKind.ACCESS)
    if client_token is None or access_token is None or access_token.issued_for != client_token.id:
        raise UnknownToken("The access token was not issued for this client token.")
    return caller


def require_scope(caller: Caller, scope: str) -> None:
    """Require that the caller's token has the scope.

    Raises:
        Forbidden: when it has not.
    """
    if scope not in caller.scopes:
        raise Forbidden(f"This token lacks the scope {scope}.")


def require_role(caller: Caller, roles: frozenset[str]) -> None:
    """Require that the caller has one of the roles.

    Raises:
        Forbidden: when it has not.
    """
    if caller.role not in roles:
        raise Forbidden(f"The role {caller.role} may not do this.")


async def issue_token(  # noqa: PLR0913  a token is all of these
    services: Services,
    account: Account,
    person: Person,
    dialect: str,
    *,
    pairs: bool = False,
    label: str = "",
    role: str = "",
    scopes: frozenset[str] = frozenset(),
    lifetime: timedelta | None = None,
    actor: Actor,
) -> list[str]:
    """Create an access token, and return its secret, which is not stored.

    With `pairs`, a client token is created too, and its secret comes first. The account also publishes
    through the dialect from now on.
    """
    now = services.clock()
    client, client_secret = new_token(account, person, dialect, now, kind=TokenKind.CLIENT, label=label)
    access, access_secret = new_token(
        account,
        person,
        dialect,
        now,
        label=label,
        role=role,
        scopes=scopes,
        issued_for=client.id if pairs else None,
        expires_at=None if lifetime is None else now + lifetime,
    )
    pair = [(client, client_secret), (access, access_secret)]
    issued = pair if pairs else pair[1:]

    def add(tx: Transaction) -> None:
        for token, secret in issued:
            tokens.add(tx, token, digest_of(secret))
            audit.record(tx, now, actor, Event.TOKEN_CREATED, account.name, **token_details(token))
        change_publications(tx, account, {dialect}, actor, now, add=True)

    await services.catalogue.write(add)
    return [secret for _, secret in issued]


async def revoke_token(services: Services, token_id: UUID, actor: Actor) -> Token:
    """Revoke a token, and those issued for it.

    Raises:
        NotFound: when there is no such token.
    """
    return await with_reserve(services, lambda: services.catalogue.write(_revoke, services, token_id, actor))


async def list_tokens(services: Services, account: str | None = None) -> list[Token]:
    """All tokens, or those of one account, oldest first.

    Raises:
        NotFound: when there is no such account.
    """

    def read(tx: Transaction) -> list[Token]:
        if account is not None:
            get_account(tx, account)
        return tokens.list_all(tx, account)

    return await services.catalogue.read(read)


async def get_or_create_person(
    services: Services, account_name: str, person_name: str
) -> tuple[Account, Person]:
    """An account and one of its people; both are created if they don't exist.

    Raises:
        Invalid: when a new name is empty, too long or not printable.
    """
    now = services.clock()

    def get(tx: Transaction) -> tuple[Account, Person]:
        account = _account(tx, account_name, now)
        return account, accounts.get_or_create_person(tx, account.id, valid_name(person_name), now)

    return await services.catalogue.write(get)


def _revoke(tx: Transaction, services: Services, token_id: UUID, actor: Actor) -> Token:
    token = tokens.get(tx, token_id)
    if token is None:
        raise NotFound(f"There is no token {token_id}.")
    now = services.clock()
    tokens.revoke(tx, token_id, now)
    audit.record(tx, now, actor, Event.TOKEN_REVOKED, token.account.name, **token_details(token))
    return token


def new_token(  # noqa: PLR0913  a token is all of these
    account: Account,
    person: Person,
    dialect: str,
    now: datetime,
    *,
    kind: TokenKind = TokenKind.ACCESS,
    label: str,
    role: str = "",
    scopes: frozenset[str] = frozenset(),
    issued_for: UUID | None = None,
    expires_at: datetime | None = None,
    app_id: UUID | None = None,
) -> tuple[Token, str]:
    """A token that isn't recorded yet, and its secret."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    token = Token(
        id=uuid_utils.compat.uuid7(),
        account=account,
        person=person,
        dialect=dialect,
        kind=kind,
        label=label,
        hint=secret[-4:],
        role=role,
        scopes=scopes,
        issued_for=issued_for,
        created_at=now,
        expires_at=expires_at,
        revoked_at=None,
        app_id=app_id,
    )
    return token, secret


def token_details(token: Token) -> dict[str, object]:
    """The fields of a token in the audit log."""
    return {
        "token": str(token.id),
        "dialect": token.dialect,
        "kind": token.kind.value,
        "person": token.person.name,
        "role": token.role,
        "scopes": sorted(token.scopes),
    }


def _account(tx: Transaction, name: str, now: datetime) -> Account:
    account = accounts.find(tx, name)
    return account or accounts.get_or_create(tx, uuid_utils.compat.uuid7(), valid_name(name), now)


def valid_name(text: str) -> str:
    """A new name of an account, a person or an app.

    Raises:
        Invalid: when it is empty, too long or not printable.
    """
    if text.strip() and text.isprintable() and len(text) <= MAX_NAME:
        return text
    rule = f"1 to {MAX_NAME} characters that can be shown, in valid UTF-8"
    raise Invalid(f"{text!a} is no name: write {rule}.")


async def _find_tokens(services: Services, dialect: str, secret_texts: Sequence[str]) -> list[Token | None]:
    digests = [digest_of(secret) for secret in secret_texts]
    cached = services.query_cache.snapshot()
    known = [cached.get((dialect, digest)) for digest in digests]
    if None not in known:
        return known
    by_digest = await services.catalogue.read(tokens.by_digest, dialect, digests)
    # Unknown tokens are not cached: invented ones would evict the others.
    for digest, token in by_digest.items():
        cached.put((dialect, digest), token)
    return [by_digest.get(digest) for digest in digests]


def _caller(services: Services, token: Token | None, kind: TokenKind) -> Caller:
    if token is None or token.kind is not kind or token.revoked_at is not None:
        raise UnknownToken("The token is not known.")
    if token.expires_at is not None and token.expires_at <= services.clock():
        raise ExpiredToken("The token has expired.")
    if not token.published:
        raise Forbidden(f"This account doesn't publish through {token.dialect}.")
    return Caller(
        token.account, token.person, token.id, token.dialect, token.role, token.scopes, links=token.links
    )


def digest_of(secret: str) -> str:
    """What is stored of a secret: it has too many random bits to be guessed from a plain SHA-256."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
