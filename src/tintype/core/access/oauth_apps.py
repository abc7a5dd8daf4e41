"""Apps of OAuth 2: created, listed and revoked by the operator."""

import secrets
from urllib.parse import urlsplit

import uuid_utils.compat

from tintype.catalogue import Transaction, oauth, tokens
from tintype.core.access import app_secret, audit
from tintype.core.access.auth import valid_name
from tintype.core.services import Services
from tintype.model import Actor, Invalid, NotFound, OAuthApp
from tintype.model.audit import Event

MAX_URL = 2048
"""The longest redirect URL, in characters; the catalogue's column has this size."""
CLIENT_ID_BYTES = 12
"""Random bytes of a client id, which is not secret."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


async def create_app(
    services: Services, dialect: str, name: str, redirect_url: str, actor: Actor
) -> tuple[OAuthApp, str]:
    """Create an app, and return it with its secret, which is not stored.

    Raises:
        Invalid: when the name is empty, too long or not printable, or the URL isn't one to redirect to.
    """
    secret = app_secret.new_secret()
    app = OAuthApp(
        id=uuid_utils.compat.uuid7(),
        dialect=dialect,
        client_id=secrets.token_hex(CLIENT_ID_BYTES),
        name=valid_name(name),
        redirect_url=_valid_url(redirect_url),
        secret_state=app_secret.state_of(secret),
        created_at=services.clock(),
    )

    def add(tx: Transaction) -> None:
        oauth.add_app(tx, app)
        audit.record(tx, app.created_at, actor, Event.APP_CREATED, None, **app_details(app))

    await services.catalogue.write(add)
    return app, secret


async def list_apps(services: Services) -> list[OAuthApp]:
    """All apps, oldest first."""
    return await services.catalogue.read(oauth.list_apps)


async def revoke_app(services: Services, client_id: str, actor: Actor) -> OAuthApp:
    """Revoke an app, its codes and its tokens.

    Raises:
        NotFound: when there is no such app.
    """

    def revoke(tx: Transaction) -> OAuthApp:
        app = oauth.find_app(tx, client_id)
        if app is None:
            raise NotFound(f"There is no app {client_id!a}.")
        now = services.clock()
        oauth.revoke_app(tx, app.id, now)
        tokens.revoke_all_of_app(tx, app.id, now)
        audit.record(tx, now, actor, Event.APP_REVOKED, None, **app_details(app))
        return app

    return await services.catalogue.write(revoke)


async def find_app(services: Services, dialect: str, client_id: str) -> OAuthApp | None:
    """The app of a dialect that isn't revoked; None if there is none."""
    app = await services.catalogue.read(oauth.find_app, client_id)
    return app if app is not None and app.dialect == dialect and app.revoked_at is None else None


def app_details(app: OAuthApp) -> dict[str, object]:
    """The fields of an app in the audit log."""
    return {"app": app.client_id, "name": app.name, "dialect": app.dialect, "redirect_url": app.redirect_url}


def _valid_url(text: str) -> str:
    """A redirect URL (RFC 6749, 3.1.2): absolute, without a fragment; encrypted, or to the same machine."""
    try:
        url = urlsplit(text)
        host, _ = url.hostname, url.port
    except ValueError:
        host = None
    if not host or len(text) > MAX_URL or not text.isascii() or not text.isprintable() or " " in text:
        raise Invalid(f"{text[:200]!a} is no URL that can be redirected to.")
    if (
        url.scheme not in {"https", "http"}
        or "#" in text
        or "@" in url.netloc
        or set("\"';,<>\\") & set(text)
    ):
        raise Invalid("A redirect URL begins with https:// and has no fragment, user or quotes.")
    if url.scheme == "http" and host not in _LOOPBACK:
        raise Invalid("A redirect URL has to be https, except to this machine (http://localhost…).")
    return text
