"""The checks of every endpoint: token, scope, rate limit, headers, path and method."""

from collections.abc import Callable

import httpx
import pytest

from tests import pictures
from tests.dialects.smartsheet.client import ABSENT, UNKNOWN, Client, assert_refused, new_cell
from tests.running import Running

CELL = "/2.0/sheets/1/rows/2/columns/3/cellimages"
ENDPOINTS = [
    ("POST", "/2.0/imageurls"),
    ("POST", "/imageurls"),
    ("POST", CELL),
    ("GET", "/2.0/sheets/1/rows/2"),
]
REQUIRED = (401, 1001, "An Access Token is required.")
INVALID = (401, 1002, "Your Access Token is invalid.")
EXPIRED = (401, 1003, "Your Access Token has expired.")
UNAUTHORIZED = (403, 1004, "You are not authorized to perform this action.")


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
@pytest.mark.parametrize(
    ("authorization", "refusal"),
    [
        (None, REQUIRED),
        ("", REQUIRED),
        ("Bearer", REQUIRED),
        ("Basic dXNlcjpwYXNz", REQUIRED),
        ("Bearer nonsense", INVALID),
        ("Bearer \xff\xfe", INVALID),
        ("Bearer " + "x" * 5000, INVALID),
    ],
)
def test_a_request_needs_a_token(
    http: httpx.Client, method: str, path: str, authorization: str | None, refusal: tuple[int, int, str]
) -> None:
    headers = [] if authorization is None else [(b"Authorization", authorization.encode("latin-1"))]
    response = http.request(method, path, headers=headers)
    assert_refused(response, *refusal)
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_the_word_bearer_is_read_in_any_case(sheets: Client) -> None:
    assert sheets.request({"imageId": UNKNOWN}, Authorization=f"bearer  {sheets.token}").status_code == 200


def test_a_token_of_another_dialect_is_invalid(service: Running, http: httpx.Client) -> None:
    assert_refused(Client(http, service.token("publisher")).request({"imageId": UNKNOWN}), *INVALID)


def test_an_expired_token(service: Running, http: httpx.Client) -> None:
    assert_refused(
        Client(http, service.token("smartsheet", expires="0s")).request({"imageId": UNKNOWN}), *EXPIRED
    )


def test_the_token_is_looked_at_first(http: httpx.Client) -> None:
    bad = {"Content-Type": "nonsense", "Accept": "text/html", "smartsheet-integration-source": "nonsense"}
    response = http.post("/2.0/imageurls", content=b"x" * 2 * 1024 * 1024, headers=bad)
    assert_refused(response, *REQUIRED)
    assert_refused(http.get("/2.0/sheets/nonsense/rows/nonsense"), *REQUIRED)


def test_a_token_that_may_only_read(service: Running, http: httpx.Client) -> None:
    reader = Client(http, service.token("smartsheet", scope=["READ_SHEETS"]))
    assert reader.request({"imageId": UNKNOWN}).status_code == 200
    assert reader.row(CELL).status_code == 404
    assert_refused(reader.put(pictures.png(), CELL), *UNAUTHORIZED)


def test_a_token_that_may_only_write(service: Running, http: httpx.Client) -> None:
    writer = Client(http, service.token("smartsheet", scope=["WRITE_SHEETS"]))
    assert_refused(writer.request({"imageId": UNKNOWN}), *UNAUTHORIZED)
    assert_refused(writer.row(CELL), *UNAUTHORIZED)
    assert writer.put(pictures.png(), new_cell()).status_code == 200


@pytest.mark.parametrize(
    "accept", ["application/json", "*/*", "application/*", "", "text/html, */*;q=0.1", ABSENT]
)
def test_an_accept_that_allows_json(sheets: Client, accept: object) -> None:
    assert sheets.request({"imageId": UNKNOWN}, Accept=accept).status_code == 200


@pytest.mark.parametrize("accept", ["text/html", "image/*", "application/json;q=0", "nonsense"])
def test_an_accept_that_does_not_allow_json(sheets: Client, accept: str) -> None:
    refusal = (406, 1052, "Invalid Accept header. Media type not supported.")
    assert_refused(sheets.request({"imageId": UNKNOWN}, Accept=accept), *refusal)
    assert_refused(sheets.row(CELL, Accept=accept), *refusal)


@pytest.mark.parametrize(
    "source",
    [
        "AI,SampleOrg,My-AI-Connector-v2",
        "SCRIPT,SampleOrg2,Accounting-updater-script",
        "APPLICATION, Org 3 , Sheets",
    ],
)
def test_an_integration_source(sheets: Client, source: str) -> None:
    assert sheets.request({"imageId": UNKNOWN}, smartsheet_integration_source=source).status_code == 200


@pytest.mark.parametrize(
    "source",
    [
        "",
        "AI",
        "AI,Org",
        "AI,,Source",
        "AI,Org,",
        "ai,Org,Source",
        "ROBOT,Org,Source",
        "AI,O,S,X",
    ],
)
def test_an_integration_source_that_is_none(sheets: Client, source: str) -> None:
    message = "A required header was missing or invalid: smartsheet-integration-source"
    assert_refused(
        sheets.request({"imageId": UNKNOWN}, smartsheet_integration_source=source), 400, 1011, message
    )
    assert_refused(sheets.row(CELL, smartsheet_integration_source=source), 400, 1011, message)


def test_headers_that_change_nothing(sheets: Client) -> None:
    headers = {"Assume_User": "jane.doe%40example.com", "Smartsheet_Change_Agent": "agent \xff" * 500}
    assert sheets.request({"imageId": UNKNOWN}, **headers).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/2.0",
        "/2.0/",
        "/2.0/sheets/1/cells",
        "/2.0/nonsense",
        "/2.0//imageurls",
        "/2.0/imageurls/x",
        "/storageProxy",
        "/storageProxy/x",
        "/2.0/sheets/1/rows/2/columns/3",
    ],
)
def test_a_path_that_is_not_there(sheets: Client, path: str) -> None:
    assert_refused(sheets.http.get(path, headers=sheets.headers()), 404, 1006, "Not Found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/2.0/imageurls", "POST"),
        ("PUT", "/imageurls", "POST"),
        ("DELETE", "/2.0/sheets/1/rows/2", "GET"),
        ("GET", CELL, "POST"),
        ("POST", f"/storageProxy/image/images/{UNKNOWN}", "GET"),
    ],
)
def test_a_method_that_is_not_there(sheets: Client, method: str, path: str, allowed: str) -> None:
    response = sheets.http.request(method, path, headers=sheets.headers())
    assert_refused(response, 405, 1010, "HTTP Method not supported.")
    assert allowed in response.headers["Allow"]


def test_more_requests_than_the_pace_allows(serve: Callable[..., Running]) -> None:
    service = serve(TINTYPE_SMARTSHEET_REQUESTS="21")
    with httpx.Client(base_url=service.base_url) as http:
        client = Client(http, service.token("smartsheet"))
        other = Client(http, service.token("smartsheet"))
        cell = new_cell()
        # An upload counts as ten requests: 10 + 10 + 1.
        assert [client.put(pictures.png(), cell).status_code for _ in range(2)] == [200, 200]
        assert client.row(cell).status_code == 200
        refused = client.request({"imageId": UNKNOWN})
        assert_refused(refused, 429, 4003, "Rate limit exceeded.")
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert other.request({"imageId": UNKNOWN}).status_code == 200
