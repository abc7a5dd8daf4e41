"""The authorization code grant of OAuth 2 (RFC 6749, 4.1): codes, tokens, refreshing and revoking them."""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from tintype.catalogue import Transaction, oauth, tokens
from tintype.core.access import app_secret, audit
from tintype.core.access.auth import SECRET_BYTES, authenticate, digest_of, new_token, token_details
from tintype.core.access.oauth_apps import app_details, find_app
from tintype.core.services import Services
from tintype.model import (
    Actor,
    Caller,
    Forbidden,
    Invalid,
    OAuthApp,
    OAuthCode,
    Token,
    TokenKind,
    UnknownToken,
)
from tintype.model.audit import Event


class InvalidClient(Invalid):
    """The app is unknown or revoked, or its secret is wrong."""


class InvalidGrant(Invalid):
    """The code or refresh token is unknown, used, expired, or of another app; or its hash is wrong."""


class Lifetimes(Struct, frozen=True):
    """How long codes and tokens are valid; `kept` is how many tokens an app may have for one person."""

    code: timedelta
    access: timedelta
    refresh: timedelta
    kept: int


class Proof(Struct, frozen=True):
    """How an app proves who it is: with its secret, or with a hash of its secret and the code or token."""

    client_id: str
    secret: str = ""
    hash: str = ""


class AppTokens(Struct, frozen=True):
    """The secrets of the tokens that an app was given, and how long the access token is valid."""

    access: str
    refresh: str
    lifetime: timedelta


async def authorize(
    services: Services,
    app: OAuthApp,
    secret: str,
    scopes: frozenset[str],
    lifetimes: Lifetimes,
    origin: str,
) -> str:
    """Let an app act for the person who has an access token; return the code, which is not stored.

    Args:
        services: what use-cases work with.
        app: which isn't revoked.
        secret: the person's access token, which isn't an app's.
        scopes: those requested; the app gets those of them that the token has.
        lifetimes: of the code.
        origin: the client's address, for the audit log.

    Raises:
        Error: as `authenticate`.
        UnknownToken: when the token is one of an app.
        Forbidden: when the token has none of the scopes.
    """
    caller = await authenticate(services, app.dialect, secret)
    granted = scopes & caller.scopes
    if not granted:
        raise Forbidden("This token has none of the scopes that the app requests.")
    code, now = secrets.token_urlsafe(SECRET_BYTES), services.clock()

    def record(tx: Transaction) -> None:
        token = tokens.get(tx, caller.token_id)
        if token is None or token.app_id is not None:
            raise UnknownToken("The token of an app can't give access to an app.")
        oauth.delete_expired_codes(tx, now)
        expires = now + lifetimes.code
        oauth.add_code(
            tx, OAuthCode(app.id, caller.account, caller.person, granted, expires), digest_of(code)
        )
        details = app_details(app) | {"person": caller.person.name, "scopes": sorted(granted)}
        actor = Actor(str(caller.token_id), origin)
        audit.record(tx, now, actor, Event.APP_AUTHORIZED, caller.account.name, **details)

    await services.catalogue.write(record)
    return code


async def redeem_code(
    services: Services,
    dialect: str,
    proof: Proof,
    code: str,
    redirect_url: str | None,
    lifetimes: Lifetimes,
    origin: str,
) -> AppTokens:
    """Exchange a code for tokens. A code that is used again revokes all tokens of the app for that person.

    Raises:
        InvalidClient: when the app is unknown or revoked, or its secret is wrong.
        InvalidGrant: when the code is not valid, or the hash or the redirect URL don't match.
    """
    app = await _require_app(services, dialect, proof, code)

    def redeem(tx: Transaction) -> AppTokens | None:
        now = services.clock()
        tx.lock(str(app.id))
        digest = digest_of(code)
        found = oauth.find_code(tx, app.id, digest)
        if found is None or found.expires_at <= now or redirect_url not in {None, app.redirect_url}:
            raise InvalidGrant("The authorization code is invalid or has expired.")
        if found.used_at is not None:
            _revoke_reused(tx, app, found, now, origin)
            return None
        oauth.use_code(tx, digest, now)
        return _issue(tx, app, found, lifetimes, now, origin)

    return _require_unused(await services.catalogue.write(redeem))


async def refresh(
    services: Services,
    dialect: str,
    proof: Proof,
    secret: str,
    redirect_url: str | None,
    lifetimes: Lifetimes,
    origin: str,
) -> AppTokens:
    """Exchange a refresh token for new tokens; it and its access token are then revoked.

    A refresh token that is used again was stolen, from the app or by it (RFC 9700, 4.14.2): all tokens of the
    app for that person are revoked.

    Raises:
        InvalidClient: when the app is unknown or revoked, or its secret is wrong.
        InvalidGrant: when the token is not valid, or the hash or the redirect URL don't match.
    """
    app = await _require_app(services, dialect, proof, secret)

    def exchange(tx: Transaction) -> AppTokens | None:
        now = services.clock()
        tx.lock(str(app.id))
        digest = digest_of(secret)
        token = tokens.by_digest(tx, dialect, [digest]).get(digest)
        if token is None or token.kind is not TokenKind.REFRESH or token.app_id != app.id:
            raise InvalidGrant("The refresh token is invalid.")
        if token.used_at is not None:
            _revoke_reused(tx, app, token, now, origin)
            return None
        if not _is_valid(token, now) or redirect_url not in {None, app.redirect_url}:
            raise InvalidGrant("The refresh token is invalid or has expired.")
        tokens.use(tx, token.id, now)
        return _issue(tx, app, token, lifetimes, now, origin)

    return _require_unused(await services.catalogue.write(exchange))


async def revoke_own_token(services: Services, caller: Caller, *, all_of_app: bool) -> None:
    """Revoke the token of the caller, and the refresh token that it came with.

    Args:
        services: what use-cases work with.
        caller: whose token it is.
        all_of_app: also revoke the app's other tokens for the same person.
    """

    def revoke(tx: Transaction) -> None:
        token = tokens.get(tx, caller.token_id)
        if token is None:
            return
        now = services.clock()
        tokens.revoke(tx, token.issued_for if token.app_id and token.issued_for else token.id, now)
        if all_of_app and token.app_id is not None:
            tokens.revoke_all_of_app(tx, token.app_id, now, token.person.id)
        details = token_details(token) | {"all_of_app": all_of_app}
        audit.record(tx, now, caller.actor, Event.TOKEN_REVOKED, token.account.name, **details)

    await services.catalogue.write(revoke)


async def _require_app(services: Services, dialect: str, proof: Proof, proved: str) -> OAuthApp:
    app = await find_app(services, dialect, proof.client_id)
    if app is None:
        raise InvalidClient("The client id is not known.")
    if proof.hash:
        if not app_secret.has_hash(app.secret_state, proved, proof.hash):
            raise InvalidGrant("The hash is not that of the app's secret and the code or refresh token.")
    elif not app_secret.has_secret(app.secret_state, proof.secret):
        raise InvalidClient("The client secret is wrong.")
    return app


def _issue(
    tx: Transaction,
    app: OAuthApp,
    held: OAuthCode | Token,
    lifetimes: Lifetimes,
    now: datetime,
    origin: str,
) -> AppTokens:
    """Add tokens for what the app held; the oldest of too many are deleted."""
    refreshing, refresh_secret = _new(app, held, now, lifetimes.refresh, TokenKind.REFRESH)
    access, access_secret = _new(app, held, now, lifetimes.access, TokenKind.ACCESS, refreshing.id)
    tokens.add(tx, refreshing, digest_of(refresh_secret))
    tokens.add(tx, access, digest_of(access_secret))
    tokens.delete_oldest_of_app(tx, app.id, held.person.id, lifetimes.kept)
    details = token_details(access) | {"app": app.client_id}
    audit.record(tx, now, Actor(app.client_id, origin), Event.TOKEN_CREATED, held.account.name, **details)
    return AppTokens(access_secret, refresh_secret, lifetimes.access)


def _new(
    app: OAuthApp,
    held: OAuthCode | Token,
    now: datetime,
    lifetime: timedelta,
    kind: TokenKind,
    issued_for: UUID | None = None,
) -> tuple[Token, str]:
    return new_token(
        held.account,
        held.person,
        app.dialect,
        now,
        kind=kind,
        label=app.name,
        scopes=held.scopes,
        issued_for=issued_for,
        expires_at=now + lifetime,
        app_id=app.id,
    )


def _revoke_reused(
    tx: Transaction, app: OAuthApp, held: OAuthCode | Token, now: datetime, origin: str
) -> None:
    tokens.revoke_all_of_app(tx, app.id, now, held.person.id)
    details = app_details(app) | {"person": held.person.name}
    audit.record(tx, now, Actor(app.client_id, origin), Event.TOKEN_REUSED, held.account.name, **details)


def _require_unused(issued: AppTokens | None) -> AppTokens:
    """Raised after the transaction, which has to keep what it revoked."""
    if issued is None:
        raise InvalidGrant("The code or refresh token was used before.")
    return issued


def _is_valid(token: Token, now: datetime) -> bool:
    return token.revoked_at is None and (token.expires_at is None or token.expires_at > now)
