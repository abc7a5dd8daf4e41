"""The application: paths, hosts, the log, and errors where nobody else speaks."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import pictures
from tests.running import TINTYPE, Running, make_token, run_cli
from tests.service_log import announced, entries
from tests.web.conftest import converse, request, status
from tintype.app import LINK_KEYS, create_app
from tintype.catalogue import CATALOGUE, schema
from tintype.core.runtime.signing import Keyring
from tintype.dialects import discover
from tintype.settings import load
from tintype.web.context import open_context

POST_PATHS = [
    path
    for dialect in discover()
    for each in (dialect.api.endpoints if dialect.api else ())
    for path in each.paths
    if each.method == "POST" and "{" not in path
]


@pytest.mark.parametrize("path", POST_PATHS)
async def test_a_body_is_whole_when_all_its_bytes_are_there(tmp_path: Path, path: str) -> None:
    """The server has not said yet that nothing more comes, and is not asked."""
    schema.migrate(tmp_path / CATALOGUE)
    Keyring.make(tmp_path / LINK_KEYS)
    dialects = discover()
    app = create_app(load(tmp_path, dialects, {}), dialects)
    arriving = iter([{"type": "http.request", "body": b"{", "more_body": True}] * 2)
    sent = []

    async def receive() -> dict[str, Any]:
        return next(arriving)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [(b"host", b"x"), (b"content-length", b"2"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}
    await app(scope | {"scheme": "http", "raw_path": path.encode(), "root_path": ""}, receive, send)
    assert sent[0]["status"] in {400, 401}
    assert list(arriving) == []


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_health_is_answered(anyone: httpx.Client, path: str, method: str) -> None:
    assert anyone.request(method, path).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/v1",
        "/v1/",
        "/v1/images/",
        "/v1//images",
        "//v1/images",
        "/v1/images//",
        "/v1%2Fimages",
        "/v1%2fimages",
        "/v1/./images",
        "/v1/images/../images",
        "/v1/../v1/images",
        "/v1/media",
        "/v1/media/",
        "/v1/media/../images",
        "/v1/media/%2e%2e/images",
        "/v1/media%2Fx",
        "/v1/images;a=1",
        "/v1/Images",
        "/V1/images",
        "/v1/images%00",
        "/v1/images%20",
        "/v1/images/x/y",
        "/v1x/images",
        "/" + "a/" * 500,
        "/%ff%fe",
        "*",
    ],
)
def test_a_path_that_is_none_of_ours_is_missing(demo: Running, token: str, path: str) -> None:
    """Sent as it stands: HTTP libraries would tidy it up."""
    answer = converse(demo, request("GET", path, token=token))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert status(answer) == 404
    assert b"content-type: application/problem+json" in head
    problem = json.loads(body)
    assert (problem["type"], problem["status"]) == ("urn:tintype:error:not-found", 404)
    assert problem["request_id"].encode() in head


@pytest.mark.parametrize("path", ["/v1/images%2F{}", "/v1/images/{}/", "/v1/images//{}", "/v1/images/./{}"])
def test_an_image_has_one_path(demo: Running, client: httpx.Client, token: str, path: str) -> None:
    image = client.post("/v1/images", content=pictures.png(8, 8)).json()
    assert status(converse(demo, request("GET", f"/v1/images/{image['id']}", token=token))) == 200
    assert status(converse(demo, request("GET", path.format(image["id"]), token=token))) == 404


def test_all_lies_below_the_base_path(serve: Callable[..., Running]) -> None:
    service = serve(TINTYPE_WEB_BASE_PATH="/context/")
    with httpx.Client(headers={"Authorization": f"Bearer {service.token('native')}"}) as client:
        answer = client.post(f"{service.base_url}/v1/images", content=pictures.png(8, 8))
        assert service.base_url.endswith("/context")
        assert answer.headers["location"].startswith(f"{service.base_url}/v1/images/")
        assert client.get(answer.headers["location"]).status_code == 200
        assert client.get(answer.json()["url"]).content == pictures.png(8, 8)
        outside = service.base_url.removesuffix("/context")
        assert client.get(f"{outside}/healthz").status_code == 200
        assert client.get(f"{outside}/v1/images").status_code == 404
        assert client.get(f"{outside}/contextual/v1/images").status_code == 404


@pytest.mark.parametrize(
    "public", ["https://images.example.com/context", "https://images.example.com/context/"]
)
def test_a_public_address_is_what_links_begin_with(public: str) -> None:
    scope: dict[str, Any] = {"method": "GET", "scheme": "http", "raw_path": b"/context/", "query_string": b""}
    scope["headers"] = [(b"host", b"inside:8080")]
    assert open_context(scope, "/", public, "/context").base_url == "https://images.example.com/context"
    assert open_context(scope, "/", "", "/context").base_url == "http://inside:8080/context"


def test_the_log_tells_who_asked_and_no_secret(tmp_path: Path) -> None:
    data, log_path = tmp_path / "library", tmp_path / "log"
    token = make_token(data, "native")
    with (
        log_path.open("w") as file,
        subprocess.Popen([TINTYPE, "serve", "--data", str(data), "--port", "0"], stderr=file) as process,
    ):
        try:
            base_url = announced(log_path)
            answer = httpx.get(f"{base_url}/v1/images", headers={"Authorization": f"Bearer {token}"})
            refused = httpx.get(f"{base_url}/v1/images", headers={"Authorization": "Bearer unknown"})
        finally:
            process.terminate()
    logged = log_path.read_text()
    lines = {line["request_id"]: line for line in entries(logged) if line["event"] == "request"}
    line = lines[answer.headers["request-id"]]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/v1/images", 200)
    assert line["account"]
    assert line["token"] in run_cli(data, "token", "list")
    assert lines[refused.headers["request-id"]]["account"] is None
    assert token not in logged
    assert "unknown" not in logged


@pytest.mark.parametrize(
    ("method", "path", "host"),
    [
        ("GET", "/", "localhost"),
        ("GET", "/healthz", "localhost"),
        ("GET", "/v1/images", "localhost"),
        ("DELETE", "/v1/images", "localhost"),
        ("POST", "/v1/links", "localhost"),
        ("GET", "/nowhere", "localhost"),
        ("GET", "/nowhere", "evil.example"),
        ("GET", "/nowhere", ""),
        ("GET", "/Media/Image/x", "localhost"),
        *(("POST", path, "localhost") for path in POST_PATHS),
    ],
)
def test_no_answer_is_guessed_at(demo: Running, token: str, method: str, path: str, host: str) -> None:
    answer = converse(demo, request(method, path, token=token, host=host))
    assert answer.count(b"x-content-type-options: nosniff") == 1


def test_the_first_page_is_framed_by_nobody(anyone: httpx.Client) -> None:
    policy = anyone.get("/").headers["content-security-policy"].split("; ")
    assert {"frame-ancestors 'none'", "form-action 'none'", "base-uri 'none'"} <= set(policy)


def test_every_answer_has_an_id_of_its_own(anyone: httpx.Client) -> None:
    paths = ["/v1/images", "/v1/nothing", "/nothing", "/v1/media/x", "/healthz"]
    found = [anyone.get(path).headers["request-id"] for path in paths]
    assert len(set(found)) == len(paths)
    assert all(len(each) == 32 for each in found)


@pytest.mark.parametrize("proxies", [0, 1])
def test_a_proxy_that_is_not_believed_is_told_of_once(tmp_path: Path, proxies: int) -> None:
    env = {**os.environ, "TINTYPE_LIMITS_PROXIES": str(proxies)}
    command = [TINTYPE, "serve", "--data", str(tmp_path / "library"), "--port", "0"]
    log_path = tmp_path / "log"
    with log_path.open("w") as file, subprocess.Popen(command, stderr=file, env=env) as process:
        try:
            url = announced(log_path) + "/v1/images"
            for header in ("X-Forwarded-For", "Forwarded", "X-Forwarded-For"):
                httpx.get(url, headers={header: "192.0.2.1"})
        finally:
            process.terminate()
    logged = [line for line in entries(log_path.read_text()) if line["event"] == "forwarded-header-ignored"]
    assert [line["header"] for line in logged] == ["x-forwarded-for"] * (1 - proxies)
