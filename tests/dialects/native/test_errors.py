"""Authentication, scopes, and the format of errors."""

from collections.abc import Callable

import httpx
import pytest

from tests import pictures
from tests.dialects.native.conftest import ACCOUNT, as_caller
from tests.running import Running

ENDPOINTS = [
    ("GET", "/v1/images"),
    ("POST", "/v1/images"),
    ("GET", "/v1/images/x"),
    ("PATCH", "/v1/images/x"),
    ("PUT", "/v1/images/x/original"),
    ("DELETE", "/v1/images/x"),
    ("POST", "/v1/links"),
]


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic dTpw", "token", "Bearer a b", "Bearer ü"])
def test_without_a_bearer_token_nobody_comes_in(
    anyone: httpx.Client, method: str, path: str, header: str | None
) -> None:
    headers = {} if header is None else {"Authorization": header.encode()}
    answer = anyone.request(method, path, headers=headers)  # type: ignore[arg-type]  # httpx sends bytes as they are
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:tintype:error:no-token")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_an_unknown_token_is_refused(anyone: httpx.Client, method: str, path: str) -> None:
    answer = anyone.request(method, path, headers={"Authorization": "Bearer " + "x" * 43})
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:tintype:error:unknown-token")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_an_expired_token_says_so(demo: Running) -> None:
    with as_caller(demo, demo.token("native", ACCOUNT, expires="0s")) as client:
        answer = client.get("/v1/images")
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:tintype:error:expired-token")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_a_token_of_another_dialect_is_unknown_here(demo: Running) -> None:
    with as_caller(demo, demo.info["mews"]["access_token"]) as client:
        assert client.get("/v1/images").json()["type"] == "urn:tintype:error:unknown-token"


def test_two_tokens_are_none(anyone: httpx.Client, demo: Running) -> None:
    token = demo.info["native"]["token"]
    headers = [("Authorization", f"Bearer {token}"), ("Authorization", "Bearer x")]
    assert anyone.get("/v1/images", headers=headers).status_code == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_spelled_in_any_case(anyone: httpx.Client, demo: Running, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {demo.info['native']['token']}"}
    assert anyone.get("/v1/images", headers=headers).status_code == 200


def test_a_reader_may_not_write(client: httpx.Client, reader: httpx.Client) -> None:
    image = client.post("/v1/images", content=pictures.png(8, 8)).json()
    assert reader.get(f"/v1/images/{image['id']}").json() == image
    refused = [
        reader.post("/v1/images", content=pictures.png(8, 8)),
        reader.delete(f"/v1/images/{image['id']}"),
    ]
    assert [answer.status_code for answer in refused] == [403, 403]
    assert {answer.json()["type"] for answer in refused} == {"urn:tintype:error:forbidden"}
    assert client.get(f"/v1/images/{image['id']}").status_code == 200


def test_a_writer_may_not_read(demo: Running) -> None:
    with as_caller(demo, demo.token("native", ACCOUNT, scope=["images:write"])) as writer:
        image = writer.post("/v1/images", content=pictures.png(8, 8)).json()
        assert writer.get("/v1/images").status_code == 403
        assert writer.get(f"/v1/images/{image['id']}").status_code == 403
        assert writer.delete(f"/v1/images/{image['id']}").status_code == 204


def test_an_error_is_a_problem_with_the_id_that_is_in_the_header(client: httpx.Client) -> None:
    answer = client.get("/v1/images?limit=0")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:tintype:error:invalid",
        "title": "Invalid",
        "status": 400,
        "detail": "limit has to be a whole number from 1 to 1000.",
        "request_id": answer.headers["request-id"],
        "field": "limit",
    }


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/images", {"GET", "POST", "OPTIONS"}),
        ("DELETE", "/v1/images", {"GET", "POST", "OPTIONS"}),
        ("PUT", "/v1/images/x", {"GET", "PATCH", "DELETE", "OPTIONS"}),
        ("BREW", "/v1/images/x", {"GET", "PATCH", "DELETE", "OPTIONS"}),
        ("GET", "/v1/images/x/original", {"PUT", "OPTIONS"}),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(
    client: httpx.Client, method: str, path: str, allowed: set[str]
) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()["type"]) == (405, "urn:tintype:error:method-not-allowed")
    assert set(answer.headers["allow"].split(", ")) == allowed


def test_too_many_requests_are_told_when_to_come_back(serve: Callable[..., Running]) -> None:
    service = serve(TINTYPE_NATIVE_REQUESTS="2", TINTYPE_NATIVE_WINDOW_SECONDS="3600")
    with as_caller(service, service.token("native")) as client:
        answers = [client.get("/v1/images") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["type"] == "urn:tintype:error:too-many-requests"
    assert 3590 <= int(answers[2].headers["retry-after"]) <= 3600


def test_limits_are_settings(serve: Callable[..., Running]) -> None:
    service = serve(TINTYPE_NATIVE_DEFAULT_LIMIT="1", TINTYPE_NATIVE_MAX_LIMIT="2")
    with as_caller(service, service.token("native")) as client:
        for _ in range(2):
            client.post("/v1/images", content=pictures.png(8, 8))
        assert len(client.get("/v1/images").json()["images"]) == 1
        assert client.get("/v1/images?limit=2").json()["next_cursor"] is None
        assert client.get("/v1/images?limit=3").status_code == 400
