"""What an app, a browser and a person do in the OAuth flow."""

import re
from dataclasses import dataclass
from hashlib import sha256
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from tests.running import Running

AUTHORIZE, TOKEN = "/b/authorize", "/2.0/token"
REDIRECT = "http://localhost:3000/callback?from=sheets"
_INPUT = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


@dataclass(frozen=True)
class App:
    """An app, as `tintype oauth-app create` prints it."""

    http: httpx.Client
    client_id: str
    secret: str

    def hashed(self, code: str) -> str:
        """The proof that it sends with a code or a refresh token."""
        return sha256(f"{self.secret}|{code}".encode()).hexdigest()

    def request(self, **changes: str) -> dict[str, str]:
        """The parameters of an authorization request, with some changed."""
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": REDIRECT,
            "scope": "READ_SHEETS,WRITE_SHEETS",
            "state": "a state & more",
        }
        return asked | changes

    def code(self, login: str, **changes: str) -> str:
        """A code that a person allowed."""
        return answered(allow(self.http, self.request(**changes), login))["code"]

    def redeem(self, code: str, **changes: str) -> httpx.Response:
        """The answer to a code."""
        asked = {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "code": code,
            "hash": self.hashed(code),
        }
        return self.http.post(TOKEN, data=_without_empty(asked | changes))

    def refresh(self, token: str, **changes: str) -> httpx.Response:
        """The answer to a refresh token."""
        asked = {
            "grant_type": "refresh_token",
            "client_id": self.client_id,
            "refresh_token": token,
            "hash": self.hashed(token),
        }
        return self.http.post(TOKEN, data=_without_empty(asked | changes))

    def tokens(self, login: str, **changes: str) -> dict[str, Any]:
        """Tokens that a person allowed."""
        response = self.redeem(self.code(login, **changes))
        assert response.status_code == 200, response.text
        return dict(response.json())


def new_app(service: Running, http: httpx.Client, name: str = "Sheet printer") -> App:
    """A new app."""
    lines = service.cli("oauth-app", "create", "--name", name, "--redirect-url", REDIRECT).split()
    return App(http, *lines)


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the form of a page."""
    return {name: unescape(value) for name, value in _INPUT.findall(page)}


def allow(
    http: httpx.Client, asked: dict[str, str], login: str, decision: str = "allow", **headers: str
) -> httpx.Response:
    """The answer to the form of the page for an authorization request."""
    page = http.get(AUTHORIZE, params=asked)
    assert page.status_code == 200, page.text
    form = hidden(page.text) | {"token": login, "decision": decision}
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return http.post(AUTHORIZE, data=form, headers=sent)


def answered(response: httpx.Response) -> dict[str, str]:
    """The parameters that the browser brings back to the app."""
    assert response.status_code == 303, response.text
    url = response.headers["Location"]
    assert url.startswith(REDIRECT + "&")
    return dict(parse_qsl(urlsplit(url).query, strict_parsing=True))


def _without_empty(parameters: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in parameters.items() if value}
