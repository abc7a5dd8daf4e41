"""OAuth 2: the page that asks, codes, tokens, refreshing and revoking, over a real socket."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from urllib.parse import urlencode

import httpx
import pytest

from tests import pictures
from tests.dialects.smartsheet.client import UNKNOWN, Client, assert_refused, new_cell
from tests.dialects.smartsheet.oauth_flow import (
    AUTHORIZE,
    REDIRECT,
    TOKEN,
    App,
    allow,
    answered,
    hidden,
    new_app,
)
from tests.running import Running, running
from tests.waiting import until


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service without limits on requests."""
    env = {"TINTYPE_SMARTSHEET_REQUESTS": "0", "TINTYPE_SMARTSHEET_OAUTH_REQUESTS": "0"}
    with running(tmp_path_factory.mktemp("oauth") / "library", "serve", env) as started:
        yield started


@pytest.fixture(scope="module")
def http(service: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.base_url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def app(service: Running, http: httpx.Client) -> App:
    return new_app(service, http)


@pytest.fixture(scope="module")
def login(service: Running) -> str:
    """A person's own access token."""
    return service.token("smartsheet", "sheets")


def reads(http: httpx.Client, token: str) -> int:
    """The status of a request that needs READ_SHEETS."""
    return Client(http, token).request({"imageId": UNKNOWN}).status_code


def refused(response: httpx.Response, error: str) -> None:
    """The token request was refused with the word of RFC 6749."""
    assert response.status_code == 400, response.text
    body = response.json()
    assert list(body) == ["errorCode", "message", "refId", "error"]
    assert (body["error"], body["refId"]) == (error, response.headers["Request-Id"]), response.text


def test_from_the_page_to_a_picture_in_a_cell(http: httpx.Client, app: App, login: str) -> None:
    back = answered(allow(http, app.request(), login))
    assert back == {"from": "sheets", "code": back["code"], "expires_in": "600", "state": "a state & more"}
    response = app.redeem(back["code"])
    assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-store")
    issued = response.json()
    assert issued.keys() == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (issued["token_type"], issued["expires_in"]) == ("bearer", 604_800)
    cell = new_cell()
    added = Client(http, issued["access_token"]).add(pictures.png(20, 10), cell)
    # It is the person's own account.
    assert Client(http, login).row(cell).json()["cells"][0]["image"]["id"] == added["id"]


def test_the_page_shows_who_asks_for_what_and_runs_no_script(
    service: Running, http: httpx.Client, login: str
) -> None:
    named = new_app(service, http, '<script>"&')
    page = http.get(AUTHORIZE, params=named.request(scope="WRITE_SHEETS", state="\"><img src=x>'"))
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "&lt;script&gt;&#34;&amp;" in page.text
    assert "<script" not in page.text
    assert "<img" not in page.text
    assert "Put images into cells" in page.text
    assert "See your images" not in page.text
    assert "localhost:3000" in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' http://localhost:3000;" in policy
    assert page.headers["Cache-Control"] == "no-store"
    assert hidden(page.text)["state"] == "\"><img src=x>'"
    assert login not in page.text


def test_a_person_who_denies_needs_no_token(http: httpx.Client, app: App) -> None:
    back = answered(allow(http, app.request(), "", "deny"))
    assert back == {"from": "sheets", "error": "access_denied", "state": "a state & more"}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": ""}, "unsupported_response_type"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "READ_SHEETS nonsense"}, "invalid_scope"),
        ({"scope": "read_sheets"}, "invalid_scope"),
        # The vendor's, but nothing that this service has.
        ({"scope": "ADMIN_USERS,SHARE_SIGHTS"}, "invalid_scope"),
    ],
)
def test_the_app_is_told_what_is_wrong_with_its_request(
    http: httpx.Client, app: App, changes: dict[str, str], error: str
) -> None:
    back = answered(http.get(AUTHORIZE, params=app.request(**changes)))
    assert back == {"from": "sheets", "error": error, "state": "a state & more"}


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "nonsense"},
        {"client_id": ""},
        {"redirect_uri": "https://example.com/"},
        {"redirect_uri": REDIRECT + "#x"},
        {"redirect_uri": REDIRECT.replace("localhost", "LOCALHOST")},
        {"state": "x" * 2049},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_browser_is_sent_nowhere_else_than_to_the_apps_own_url(
    http: httpx.Client, app: App, changes: dict[str, str], method: str
) -> None:
    asked = app.request(**changes)
    response = (
        http.get(AUTHORIZE, params=asked)
        if method == "GET"
        else http.post(AUTHORIZE, data=asked | {"decision": "deny"})
    )
    assert response.status_code == 400
    assert "Location" not in response.headers
    assert "<form" not in response.text


@pytest.mark.parametrize("scope", ["READ_SHEETS", "READ_SHEETS,CREATE_SHEETS", "READ_USERS READ_SHEETS"])
def test_the_app_gets_no_scope_that_it_did_not_ask_for(
    http: httpx.Client, app: App, login: str, scope: str
) -> None:
    client = Client(http, app.tokens(login, scope=scope)["access_token"])
    assert client.request({"imageId": UNKNOWN}).status_code == 200
    assert_refused(client.put(pictures.png(), new_cell()), 403, 1004)


def test_the_app_gets_no_scope_that_the_person_lacks(service: Running, http: httpx.Client, app: App) -> None:
    reader = service.token("smartsheet", "sheets", scope=["READ_SHEETS"])
    client = Client(http, app.tokens(reader)["access_token"])
    assert client.request({"imageId": UNKNOWN}).status_code == 200
    assert_refused(client.put(pictures.png(), new_cell()), 403, 1004)
    denied = allow(http, app.request(scope="WRITE_SHEETS"), reader)
    assert denied.status_code == 403
    assert "none of the scopes" in denied.text


def test_a_person_without_a_valid_token_is_asked_again(
    service: Running, http: httpx.Client, app: App, login: str
) -> None:
    of_app = app.tokens(login)
    other = service.token("publisher", "sheets")
    for wrong in ("", "nonsense", other, of_app["access_token"], of_app["refresh_token"]):
        response = allow(http, app.request(), wrong)
        assert response.status_code == 403, wrong
        assert "Location" not in response.headers
        # The page is complete: its form works.
        form = hidden(response.text) | {"token": login, "decision": "allow"}
        assert answered(http.post(AUTHORIZE, data=form))["code"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "https://example.com"},
        {"Origin": "null"},
    ],
)
def test_another_site_can_not_send_the_form(
    http: httpx.Client, app: App, login: str, headers: dict[str, str]
) -> None:
    response = allow(http, app.request(), login, **headers)
    assert response.status_code == 403
    assert "Location" not in response.headers


def test_a_browser_on_the_page_itself_can(service: Running, http: httpx.Client, app: App, login: str) -> None:
    sent = allow(http, app.request(), login, Origin=service.base_url, Sec_Fetch_Site="same-origin")
    assert answered(sent)["code"]


@pytest.mark.parametrize("field", ["client_id", "redirect_uri", "scope", "state", "ticket"])
def test_what_is_decided_is_what_the_page_showed(
    service: Running, http: httpx.Client, app: App, login: str, field: str
) -> None:
    other = new_app(service, http, "Another")
    page = http.get(AUTHORIZE, params=app.request(scope="READ_SHEETS"))
    changed = {
        "client_id": other.client_id,
        "redirect_uri": "",
        "scope": "READ_SHEETS,WRITE_SHEETS",
        "state": "another",
        "ticket": hidden(page.text)["ticket"].replace("1", "2", 1),
    }
    form = hidden(page.text) | {field: changed[field], "token": login, "decision": "allow"}
    response = http.post(AUTHORIZE, data=form)
    assert response.status_code == 403
    assert "Location" not in response.headers


def test_a_code_is_for_one_use_and_a_second_one_revokes_what_the_first_got(
    http: httpx.Client, app: App, login: str
) -> None:
    code = app.code(login)
    issued = app.redeem(code).json()
    assert reads(http, issued["access_token"]) == 200
    refused(app.redeem(code), "invalid_grant")
    assert reads(http, issued["access_token"]) == 401
    refused(app.refresh(issued["refresh_token"]), "invalid_grant")


def test_a_code_is_of_its_app_and_its_redirect_url(
    service: Running, http: httpx.Client, app: App, login: str
) -> None:
    other, code = new_app(service, http, "Another"), app.code(login)
    refused(other.redeem(code), "invalid_grant")
    refused(app.redeem(code, redirect_uri="http://localhost:3000/"), "invalid_grant")
    refused(app.redeem(code, redirect_url="http://localhost:3000/"), "invalid_grant")
    # What was wrong did not use it up.
    assert app.redeem(code, redirect_uri=REDIRECT).status_code == 200


def test_the_proof_of_an_app(app: App, login: str) -> None:
    code = app.code(login)
    refused(app.redeem(code, hash=app.hashed(code + "x")), "invalid_grant")
    refused(app.redeem(code, hash="", client_secret="x" * 63), "invalid_client")
    refused(app.redeem(code, hash=""), "invalid_request")
    refused(app.redeem(code, client_id="nonsense"), "invalid_client")
    refused(app.redeem(code, client_id=""), "invalid_request")
    refused(app.redeem("", hash=app.hashed("")), "invalid_request")
    refused(app.redeem("x" * 3000), "invalid_request")
    refused(app.redeem(code, grant_type="password"), "unsupported_grant_type")
    refused(app.redeem(code, grant_type=""), "invalid_request")
    assert app.redeem(code, hash="", client_secret=app.secret).status_code == 200


def test_parameters_may_be_in_the_query_as_the_java_client_sends_them(
    http: httpx.Client, app: App, login: str
) -> None:
    code = app.code(login)
    asked = {
        "grant_type": "authorization_code",
        "client_id": app.client_id,
        "code": code,
        "hash": app.hashed(code),
    }
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    refused(http.post(f"{TOKEN}?{urlencode(asked)}", data={"code": "another"}), "invalid_request")
    assert http.post(f"{TOKEN}?{urlencode(asked)}", headers=form).status_code == 200


def test_refreshing_gives_new_tokens_and_ends_the_old_ones(http: httpx.Client, app: App, login: str) -> None:
    first = app.tokens(login)
    response = app.refresh(first["refresh_token"])
    second = response.json()
    assert response.status_code == 200
    assert {second["access_token"], second["refresh_token"]}.isdisjoint(first.values())
    assert reads(http, first["access_token"]) == 401
    assert reads(http, second["access_token"]) == 200
    assert app.refresh(second["refresh_token"], redirect_uri=REDIRECT).status_code == 200


def test_a_refresh_token_that_is_used_again_ends_all_tokens_of_the_app_for_that_person(
    service: Running, http: httpx.Client, app: App, login: str
) -> None:
    first, elsewhere = app.tokens(login), app.tokens(login)
    of_another_person = app.tokens(service.token("smartsheet", "sheets", person="Jane"))
    second = app.refresh(first["refresh_token"]).json()
    refused(app.refresh(first["refresh_token"]), "invalid_grant")
    for token in (second["access_token"], elsewhere["access_token"]):
        assert reads(http, token) == 401
    refused(app.refresh(second["refresh_token"]), "invalid_grant")
    assert reads(http, of_another_person["access_token"]) == 200
    assert reads(http, login) == 200
    assert "token-reused" in service.cli("audit")


def test_a_refresh_token_is_of_its_app_and_no_access_token(
    service: Running, http: httpx.Client, app: App, login: str
) -> None:
    issued = app.tokens(login)
    refused(new_app(service, http, "Another").refresh(issued["refresh_token"]), "invalid_grant")
    refused(app.refresh(issued["access_token"]), "invalid_grant")
    refused(app.refresh(login), "invalid_grant")
    assert reads(http, issued["refresh_token"]) == 401
    assert app.refresh(issued["refresh_token"]).status_code == 200


def test_revoking_ends_the_token_and_the_refresh_token_that_it_came_with(
    http: httpx.Client, app: App, login: str
) -> None:
    issued, other = app.tokens(login), app.tokens(login)
    revoked = http.delete(TOKEN, headers={"Authorization": f"Bearer {issued['access_token']}"})
    assert (revoked.status_code, revoked.json()) == (200, {"message": "SUCCESS", "resultCode": 0})
    assert reads(http, issued["access_token"]) == 401
    assert app.refresh(issued["refresh_token"]).json()["error"] == "invalid_grant"
    # No reuse: it was never exchanged.
    assert [reads(http, token) for token in (login, other["access_token"])] == [200, 200]


def test_revoking_all_tokens_of_the_app(service: Running, http: httpx.Client, login: str) -> None:
    app, another = new_app(service, http, "One"), new_app(service, http, "Another")
    one, two, three = app.tokens(login), app.tokens(login), another.tokens(login)
    headers = {"Authorization": f"Bearer {one['access_token']}"}
    assert http.delete(f"{TOKEN}?deleteAllForApiClient=true", headers=headers).status_code == 200
    assert [reads(http, each["access_token"]) for each in (one, two, three)] == [401, 401, 200]


def test_revoking_needs_a_token(http: httpx.Client) -> None:
    assert_refused(http.delete(TOKEN), 401, 1001)
    assert_refused(http.delete(TOKEN, headers={"Authorization": "Bearer nonsense"}), 401, 1002)


def test_a_revoked_app_has_nothing_left(service: Running, http: httpx.Client, login: str) -> None:
    app = new_app(service, http, "Revoked")
    issued, code = app.tokens(login), app.code(login)
    service.cli("oauth-app", "revoke", app.client_id)
    assert reads(http, issued["access_token"]) == 401
    refused(app.redeem(code), "invalid_client")
    refused(app.refresh(issued["refresh_token"]), "invalid_client")
    assert http.get(AUTHORIZE, params=app.request()).status_code == 400
    listed = service.cli("oauth-app", "list")
    assert "revoked" in next(line for line in listed.splitlines() if app.client_id in line)


def test_nothing_secret_is_stored_or_listed(service: Running, app: App, login: str) -> None:
    issued, code = app.tokens(login), app.code(login)
    with closing(sqlite3.connect(service.data / "catalogue.sqlite3")) as catalogue:
        dump = "\n".join(catalogue.iterdump())
    shown = service.cli("oauth-app", "list") + service.cli("token", "list") + service.cli("audit")
    for secret in (app.secret, code, issued["access_token"], issued["refresh_token"]):
        assert secret not in dump + shown
    assert app.client_id in shown


def test_who_did_what_is_in_the_audit_log(service: Running, http: httpx.Client, login: str) -> None:
    app = new_app(service, http, "Audited")
    app.tokens(login)
    lines = [line for line in service.cli("audit").splitlines() if app.client_id in line]
    events = ("app-created", "app-authorized", "token-created")
    assert all(any(event in line for line in lines) for event in events), lines
    assert all("127.0.0.1" in line for line in lines if "app-created" not in line), lines


def expire(service: Running, table: str) -> None:
    """Let all codes or tokens have expired long ago."""
    with closing(sqlite3.connect(service.data / "catalogue.sqlite3", timeout=30)) as catalogue:
        catalogue.execute(f"UPDATE {table} SET expires_at = 1 WHERE app_id IS NOT NULL")  # noqa: S608  our own names
        catalogue.commit()


def test_codes_and_tokens_expire(serve: Callable[..., Running]) -> None:
    service = serve()
    with httpx.Client(base_url=service.base_url) as http:
        app, login = new_app(service, http), service.token("smartsheet")
        issued, code = app.tokens(login), app.code(login)
        assert reads(http, issued["access_token"]) == 200
        expire(service, "tokens")
        expired = Client(http, issued["access_token"]).request({"imageId": UNKNOWN})
        assert_refused(expired, 401, 1003, "Your Access Token has expired.")
        refused(app.refresh(issued["refresh_token"]), "invalid_grant")
        expire(service, "oauth_codes")
        refused(app.redeem(code), "invalid_grant")
        # Expired codes go with the next one.
        app.code(login)
    with closing(sqlite3.connect(service.data / "catalogue.sqlite3")) as catalogue:
        assert catalogue.execute("SELECT count(*) FROM oauth_codes").fetchall() == [(1,)]


def test_a_page_that_was_open_for_too_long(serve: Callable[..., Running]) -> None:
    service = serve(TINTYPE_SMARTSHEET_OAUTH_CODE_SECONDS="1", TINTYPE_SMARTSHEET_OAUTH_REQUESTS="0")
    with httpx.Client(base_url=service.base_url) as http:
        asked = new_app(service, http).request()
        form = hidden(http.get(AUTHORIZE, params=asked).text) | {"decision": "deny"}
        until(lambda: http.post(AUTHORIZE, data=form).status_code == 403)


def test_an_app_keeps_so_many_tokens_of_a_person(serve: Callable[..., Running]) -> None:
    service = serve(TINTYPE_SMARTSHEET_OAUTH_TOKENS="4")
    with httpx.Client(base_url=service.base_url) as http:
        app, login = new_app(service, http), service.token("smartsheet")
        issued = [app.tokens(login) for _ in range(4)]
        assert [reads(http, each["access_token"]) for each in issued] == [401, 401, 200, 200]
        for _ in range(5):
            issued.append(app.refresh(issued[-1]["refresh_token"]).json())
        assert reads(http, issued[-1]["access_token"]) == 200
    with closing(sqlite3.connect(service.data / "catalogue.sqlite3")) as catalogue:
        [(kept,)] = catalogue.execute("SELECT count(*) FROM tokens WHERE app_id IS NOT NULL")
    assert kept == 4


def test_requests_are_limited_by_address(serve: Callable[..., Running]) -> None:
    service = serve(TINTYPE_SMARTSHEET_OAUTH_REQUESTS="3")
    with httpx.Client(base_url=service.base_url) as http:
        statuses = [
            http.get(AUTHORIZE).status_code,
            http.post(TOKEN).status_code,
            http.delete(TOKEN).status_code,
        ]
        assert statuses == [400, 400, 401]
        for response in (http.get(AUTHORIZE), http.post(TOKEN), http.post(AUTHORIZE)):
            assert_refused(response, 429, 4003, "Rate limit exceeded.")
            assert 1 <= int(response.headers["Retry-After"]) <= 60


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", [AUTHORIZE, TOKEN])
@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe%zz=%ff&a&&=;", b"a=1&" * 100, b"token=" + b"x" * 100_000, b"ticket=1..&ticket=x.y"],
)
def test_hostile_forms_are_refused(http: httpx.Client, method: str, path: str, content: bytes) -> None:
    response = http.request(method, path, content=content)
    assert response.status_code in {400, 403, 405}, response.text
