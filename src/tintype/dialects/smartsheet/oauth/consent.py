"""`/b/authorize`: the page where a person gives an app access, with an access token as the login.

No session is kept: the token is sent with the decision. What another site makes a browser send has neither a
token nor our origin.
"""

from functools import cache
from http import HTTPStatus
from urllib.parse import urlsplit

import jinja2

from tintype.core.access.oauth import authorize
from tintype.core.access.oauth_apps import find_app
from tintype.core.runtime.signing import Signature
from tintype.dialects.smartsheet.links import milliseconds
from tintype.dialects.smartsheet.oauth import wire
from tintype.dialects.smartsheet.settings import Settings
from tintype.model import Error, Forbidden, Invalid, OAuthApp, RetryableError
from tintype.web.api import ApiRequest, public_endpoint
from tintype.web.bodies import read
from tintype.web.dialect_routes import RawResponse
from tintype.web.errors import STATUS

PATH = "/b/authorize"
"""The path of the vendor's page, below another host."""

Request = ApiRequest[Settings]

_SIGNED_FOR = "smartsheet consent"


@public_endpoint("GET", PATH)
async def show(request: Request) -> RawResponse:
    """The page of an app's authorization request (RFC 6749, 4.1.1)."""
    try:
        authorization = wire.parse_authorization(wire.parse_form(request.context.query))
        app = await _app(request, authorization)
    except Error as error:
        return _failure(error)
    fault = authorization.fault()
    if fault is not None:
        return wire.redirect(app, authorization.state, error=fault)
    return _page(request, app, authorization)


@public_endpoint("POST", PATH)
async def decide(request: Request) -> RawResponse:
    """What the person decided: the browser is sent back to the app with a code, or with an error."""
    try:
        _require_same_origin(request)
        form = wire.parse_form((await read(request, request.settings.max_body_bytes)).decode("latin-1"))
        authorization = wire.parse_authorization(form)
        app = await _app(request, authorization)
        _require_ticket(request, authorization, form.get("ticket", ""))
    except Error as error:
        return _failure(error)
    if form.get("decision") != "allow":
        return wire.redirect(app, authorization.state, error="access_denied")
    try:
        code = await _authorize(request, app, authorization, form.get("token", "").strip())
    except RetryableError:
        raise
    except Error as error:
        return _page(request, app, authorization, error)
    expires = str(request.settings.oauth_code_seconds)
    return wire.redirect(app, authorization.state, code=code, expires_in=expires)


async def _authorize(request: Request, app: OAuthApp, authorization: wire.Authorization, token: str) -> str:
    times = wire.lifetimes(request.settings)
    return await authorize(request.services, app, token, authorization.scopes(), times, request.origin)


async def _app(request: Request, authorization: wire.Authorization) -> OAuthApp:
    """The app that asks. Until it and its URL are known, the browser is not sent anywhere."""
    app = await find_app(request.services, "smartsheet", authorization.client_id)
    if app is None:
        raise Invalid("This app is not known here.")
    if authorization.redirect_uri not in {"", app.redirect_url}:
        raise Invalid("The redirect URL is not the one that this app was created with.")
    request.context.notes["app"] = app.client_id
    return app


def _require_same_origin(request: Request) -> None:
    """Check that no other site sent this: all browsers send one of these headers with a form."""
    headers = request.context.headers
    site, origin = headers.get("sec-fetch-site", "same-origin"), headers.get("origin")
    hosts = {headers.get("host", ""), urlsplit(request.context.base_url).netloc}
    if site != "same-origin" or (origin is not None and urlsplit(origin).netloc not in hosts):
        raise Forbidden("This form was not sent from its own page.")


def _ticket(request: Request, authorization: wire.Authorization) -> str:
    """A signature of what the page shows, until when."""
    until = str(milliseconds(request.services.clock()) + request.settings.oauth_code_seconds * 1000)
    signature = request.services.keyring.sign(_signed(authorization, until))
    return f"{until}.{signature.key}.{signature.mac}"


def _require_ticket(request: Request, authorization: wire.Authorization, ticket: str) -> None:
    until, _, signature = ticket.partition(".")
    key, _, mac = signature.partition(".")
    signed = request.services.keyring.verify(_signed(authorization, until), Signature(key, mac))
    if not signed or int(until) <= milliseconds(request.services.clock()):
        raise Forbidden("This page was open for too long. Go back to the app and start again.")


def _signed(authorization: wire.Authorization, until: str) -> tuple[str, ...]:
    asked = authorization
    return _SIGNED_FOR, asked.client_id, asked.redirect_uri, asked.scope, asked.state, until


def _page(
    request: Request, app: OAuthApp, authorization: wire.Authorization, error: Error | None = None
) -> RawResponse:
    html = _template().render(
        app=app,
        asked=authorization,
        host=urlsplit(app.redirect_url).netloc,
        scopes=[wire.SCOPES[scope] for scope in sorted(authorization.scopes())],
        ticket=_ticket(request, authorization),
        error=None if error is None else error.message,
    )
    status = HTTPStatus.OK if error is None else HTTPStatus.FORBIDDEN
    url = urlsplit(app.redirect_url)
    return _respond(status, html, form_action=f"'self' {url.scheme}://{url.netloc}")


def _failure(error: Error) -> RawResponse:
    if isinstance(error, RetryableError):
        raise error
    html = _template().render(app=None, error=error.message)
    return _respond(STATUS[error.kind], html, form_action="'none'")


def _respond(status: HTTPStatus, html: str, *, form_action: str) -> RawResponse:
    headers = {
        # Browsers apply form-action to where a form is redirected, too.
        "Content-Security-Policy": (
            f"default-src 'none'; style-src 'unsafe-inline'; form-action {form_action}; "
            "frame-ancestors 'none'; base-uri 'none'"
        ),
        # Not no-referrer: the origin of the form would then be null.
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
    return RawResponse(status.value, html.encode(), "text/html; charset=utf-8", headers)


@cache
def _template() -> jinja2.Template:
    loader = jinja2.PackageLoader(__package__ or "")
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.get_template("consent.html")
