"""The path, the responses at other paths, and the headers of all responses."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.dialects.mews.client import PATH, Client, assert_refused, client, item
from tests.running import Running


@pytest.mark.parametrize(
    "path",
    [
        PATH + "/",
        PATH + "//",
        PATH + "/x",
        PATH.removesuffix("/getUrls"),
        PATH.replace("getUrls", "getURLs"),
        PATH.replace("getUrls", "geturls"),
        PATH.replace("images", "Images"),
        PATH.replace("v1/", "v1//"),
        PATH.replace("v1", "v2"),
        "/api/connector",
        "/api/connector/",
        "/api/connector/v1/images/getAll",
        "/api/connector/v1/images/getUrls%2F",
        "/api/connector/v1/images/%2e%2e/images/getUrls",
    ],
)
def test_another_path_is_not_found_in_the_words_of_the_dialect(mews: Client, path: str) -> None:
    assert_refused(mews.http.post(path, json=mews.body(item())), 404, "Not found.")


@pytest.mark.parametrize(
    "path", ["/API/connector/v1/images/getUrls", "/api//connector/v1/images/getUrls", "/" + PATH]
)
def test_a_path_of_no_dialect_is_not_found(mews: Client, path: str) -> None:
    url = str(mews.http.base_url).rstrip("/") + path
    response = mews.http.post(url, json=mews.body(item()))
    assert response.status_code == 404
    assert response.json()
    assert response.headers["Request-Id"]


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD", "PURGE"])
def test_another_method_is_not_found(mews: Client, method: str) -> None:
    response = mews.http.request(method, PATH)
    if method == "HEAD":
        assert (response.status_code, response.content) == (404, b"")
    else:
        assert_refused(response, 404, "Not found.")


def test_a_query_behind_the_path_is_overlooked(mews: Client) -> None:
    assert mews.http.post(PATH + "?a=b&Client=", json=mews.body(item())).status_code == 200


def test_every_answer_has_a_request_id_of_its_own(demo: Running, mews: Client) -> None:
    image = demo.info["images"][0]["id"]
    answers = [
        mews.request(item()),
        mews.request(item()),
        mews.request(),
        mews.send(b""),
        mews.send(b"{}"),
        mews.http.get(PATH),
        mews.http.get(f"/Media/Image/{image}?Width=10"),
        mews.http.get(f"/Media/Image/{image}?Width=0"),
        mews.http.get("/Media/Image/none"),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 400, 400, 401, 404, 200, 400, 404]
    assert len({answer.headers["Request-Id"] for answer in answers}) == len(answers)


def test_no_success_looks_like_an_error(mews: Client) -> None:
    """Some clients take a 200 whose keys are a subset of these for an error."""
    assert not set(mews.request(item()).json()) <= {"Message", "Details", "Type"}


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_refused(mews: Client, chunked: bool) -> None:  # noqa: FBT001  a parameter
    def pieces() -> Iterator[bytes]:
        for _ in range(200):
            yield b" " * 16384

    headers = {"Content-Type": "application/json"}
    content = pieces() if chunked else b" " * (1024 * 1024 + 1)
    response = mews.http.post(PATH, content=content, headers=headers)
    assert_refused(response, 413, "The body is larger than 1048576 bytes.")


def test_a_body_of_just_the_limit_is_read(mews: Client) -> None:
    assert_refused(
        mews.send(b"{}" + b" " * (1024 * 1024 - 2)), 401, "Cannot perform operation or session has expired."
    )


def test_limits_are_settings(serve: Callable[..., Running]) -> None:
    service = serve(
        TINTYPE_MEWS_MAX_IMAGES="2", TINTYPE_MEWS_MAX_SIDE="50", TINTYPE_MEWS_MAX_BODY_BYTES="2000"
    )
    with httpx.Client(base_url=service.base_url) as http:
        mews = client(service, http)
        assert mews.request(item(), item(Width=50, Height=50)).status_code == 200
        assert_refused(mews.request(item(), item(), item()), 400, "Invalid Images.")
        assert_refused(mews.request(item(Height=51)), 400, "Invalid Height.")
        assert_refused(mews.request(item(), Client="x" * 2000), 413, "The body is larger than 2000 bytes.")
