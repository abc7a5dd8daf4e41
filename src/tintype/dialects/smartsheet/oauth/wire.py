"""Authorization requests and token requests, and the answers to them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec import Struct

from tintype.core.access.oauth import AppTokens, Lifetimes, Proof
from tintype.dialects.smartsheet.errors import InvalidTokenRequest, UnsupportedGrantType
from tintype.dialects.smartsheet.settings import Settings
from tintype.model import Error, OAuthApp
from tintype.web.dialect_routes import RawResponse
from tintype.web.query import parse_query

READ, WRITE = "READ_SHEETS", "WRITE_SHEETS"
SCOPES = {
    READ: "See your images, and the cells that they are in",
    WRITE: "Put images into cells",
}
"""The scopes that there are here, with what they allow."""
_WITHOUT_EFFECT = frozenset(
    f"{verb}_{noun}"
    for verb, nouns in {
        "ADMIN": ("SHEETS", "SIGHTS", "USERS", "WEBHOOKS", "WORKSPACES"),
        "CREATE": ("SHEETS", "SIGHTS"),
        "DELETE": ("SHEETS", "SIGHTS"),
        "READ": ("CONTACTS", "EVENTS", "SIGHTS", "USERS"),
        "SHARE": ("SHEETS", "SIGHTS"),
    }.items()
    for noun in nouns
)
"""The vendor's other scopes: apps may request them, and get nothing for them."""
MAX_VALUE = 2048
"""The longest value of a parameter, in characters."""


class Authorization(Struct, frozen=True):
    """An authorization request (RFC 6749, 4.1.1), whose values are not checked yet."""

    client_id: str
    response_type: str
    redirect_uri: str
    scope: str
    state: str

    def scopes(self) -> frozenset[str]:
        """The scopes, separated by commas (the vendor's Java client) or spaces, that there are here."""
        return frozenset(self._words()) & SCOPES.keys()

    def fault(self) -> str | None:
        """The error that the app is told, as a word of RFC 6749, 4.1.2.1; None if there is none."""
        if self.response_type != "code":
            return "unsupported_response_type"
        if not self.scopes() or not set(self._words()) <= SCOPES.keys() | _WITHOUT_EFFECT:
            return "invalid_scope"
        return None

    def _words(self) -> list[str]:
        return self.scope.replace(",", " ").split()


class TokenRequest(Struct, frozen=True):
    """A token request (RFC 6749, 4.1.3 and 6). `secret` is the code or the refresh token."""

    grant_type: Literal["authorization_code", "refresh_token"]
    proof: Proof
    secret: str
    redirect_url: str | None


def parse_form(text: str) -> Mapping[str, str]:
    """The parameters of a query or a form.

    Raises:
        InvalidTokenRequest: when there are too many, or one is too long.
    """
    parameters = parse_query(text, _too_many)
    for name, value in parameters.items():
        if len(value) > MAX_VALUE:
            raise InvalidTokenRequest(f"The value of {name[:100]} is too long.")
    return parameters


def parse_authorization(parameters: Mapping[str, str]) -> Authorization:
    """An authorization request from its parameters; those that are missing are empty."""
    names = ("client_id", "response_type", "redirect_uri", "scope", "state")
    values = [parameters.get(name, "") for name in names]
    return Authorization(*values)


def parse_token_request(query: str, body: bytes) -> TokenRequest:
    """A token request. Its parameters are in the body, or in the query (the vendor's Java client).

    Raises:
        InvalidTokenRequest: when a parameter is missing or in both with different values.
        UnsupportedGrantType: when the grant type is another one.
    """
    parameters, in_body = dict(parse_form(query)), parse_form(body.decode("latin-1"))
    for name, value in in_body.items():
        if parameters.setdefault(name, value) != value:
            raise InvalidTokenRequest(f"There are two values of {name[:100]}.")
    grant_type = _required(parameters, "grant_type")
    if grant_type not in {"authorization_code", "refresh_token"}:
        raise UnsupportedGrantType("The grant_type has to be authorization_code or refresh_token.")
    proof = Proof(
        _required(parameters, "client_id"), parameters.get("client_secret", ""), parameters.get("hash", "")
    )
    if not proof.secret and not proof.hash:
        raise InvalidTokenRequest("The hash or the client_secret is missing.")
    # Old clients call it redirect_url.
    redirect_url = parameters.get("redirect_uri") or parameters.get("redirect_url") or None
    if grant_type == "authorization_code":
        return TokenRequest("authorization_code", proof, _required(parameters, "code"), redirect_url)
    return TokenRequest("refresh_token", proof, _required(parameters, "refresh_token"), redirect_url)


def encode_tokens(issued: AppTokens) -> RawResponse:
    """The response with tokens (RFC 6749, 5.1)."""
    body = {
        "access_token": issued.access,
        "token_type": "bearer",
        "expires_in": int(issued.lifetime.total_seconds()),
        "refresh_token": issued.refresh,
    }
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    return RawResponse(200, msgspec.json.encode(body), "application/json", headers)


def redirect(app: OAuthApp, state: str, **parameters: str) -> RawResponse:
    """The browser is sent back to the app, with parameters added to its URL."""
    separator = "&" if urlsplit(app.redirect_url).query else "?"
    query = urlencode(parameters | ({"state": state} if state else {}))
    headers = {"Location": f"{app.redirect_url}{separator}{query}", "Cache-Control": "no-store"}
    return RawResponse(303, b"", "text/plain", headers)


def lifetimes(settings: Settings) -> Lifetimes:
    """How long codes and tokens are valid."""
    return Lifetimes(
        code=timedelta(seconds=settings.oauth_code_seconds),
        access=timedelta(seconds=settings.oauth_access_seconds),
        refresh=timedelta(seconds=settings.oauth_refresh_seconds),
        kept=settings.oauth_tokens,
    )


def _required(parameters: Mapping[str, str], name: str) -> str:
    value = parameters.get(name, "")
    if not value:
        raise InvalidTokenRequest(f"The parameter {name} is missing.")
    return value


def _too_many(most: int) -> Error:
    return InvalidTokenRequest(f"There are more than {most} parameters.")
