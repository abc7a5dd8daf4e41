"""The service as a process: ready, stopped, killed, restarted."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests import pictures
from tests.cli.calling import library, run
from tests.cli.killing import Killable, killable, log, workers_of
from tests.hostile.measure import resting
from tests.running import Running
from tests.waiting import until

STOP_WITHIN = 20


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return library(tmp_path / "library")


def native_token(data: Path) -> str:
    return run(data, "token", "create", "--dialect", "native").strip()


@contextmanager
def connected(base_url: str) -> Iterator[socket.socket]:
    address = urlsplit(base_url)
    with socket.create_connection(
        (address.hostname or "", address.port or 0), timeout=STOP_WITHIN
    ) as connection:
        yield connection


def test_it_says_when_it_is_alive_and_when_it_can_serve(serve: Callable[..., Running]) -> None:
    # A proxy in its environment has no part in that.
    service = serve(http_proxy="http://127.0.0.1:9")
    for path, said_there in (("/healthz", "ok\n"), ("/readyz", "ready\n")):
        answer = httpx.get(service.base_url + path)
        assert (answer.status_code, answer.text) == (200, said_there)
        assert httpx.head(service.base_url + path).status_code == 200


def test_without_its_catalogue_it_is_alive_but_not_ready(serve: Callable[..., Running]) -> None:
    service = serve()
    with closing(sqlite3.connect(service.data / "catalogue.sqlite3")) as connection:
        connection.execute("DROP TABLE placements")
        connection.execute("DROP TABLE images")
    assert httpx.get(service.base_url + "/healthz").status_code == 200
    assert httpx.get(service.base_url + "/readyz").status_code == 503


@pytest.mark.parametrize("stop_signal", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_lets_an_upload_under_way_finish(data: Path, stop_signal: signal.Signals) -> None:
    """The whole group is told, as by a terminal: by Ctrl-C, or when it is closed."""
    token, picture = native_token(data), pictures.png(40, 30)
    with killable(data, "serve", "--port", "0") as service:
        with connected(service.ready()) as connection:
            begin_upload(connection, token, picture)
            os.killpg(service.process.pid, stop_signal)
            refuses_newcomers(service.base_url)
            connection.sendall(picture[50:])
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        assert answer.startswith(b"HTTP/1.1 201"), answer
        assert service.join(STOP_WITHIN) == 0
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["bytes"] == len(picture)
    assert "Traceback" not in "".join(service.lines)
    run(data, "check", "--deep")


def refuses_newcomers(base_url: str) -> None:
    """Wait until the signal was heard: nobody new is let in."""

    def is_refused() -> bool:
        try:
            with connected(base_url):
                return False
        except OSError:
            return True

    until(is_refused, why="the service still lets newcomers in")


def test_a_killed_worker_is_replaced_and_the_library_is_whole(data: Path) -> None:
    token = native_token(data)
    headers = {"Authorization": f"Bearer {token}"}
    transport = httpx.HTTPTransport(retries=6)
    with killable(data, "serve", "--port", "0") as service, httpx.Client(transport=transport) as client:
        url = service.ready() + "/v1/images"
        picture = pictures.png(40, 30)
        first = client.post(url, content=picture, headers=headers)
        assert first.status_code == 201
        before = workers_of(service.process.pid)
        for worker in before:
            os.kill(worker, signal.SIGKILL)
        answer = served_again(client, first.json()["url"])
        assert answer.content == picture
        assert not set(workers_of(service.process.pid)) & set(before)
        assert client.post(url, content=picture, headers=headers).status_code == 201


@pytest.mark.parametrize("content", [None, b"{"])
def test_lost_link_keys_stop_the_start_in_one_sentence_until_it_may_make_new_ones(
    data: Path, content: bytes | None
) -> None:
    keys = data / "link-keys.json"
    keys.unlink()
    if content is not None:
        keys.write_bytes(content)
    with killable(data, "serve", "--port", "0", "--workers", "2") as refused:
        assert refused.join(STOP_WITHIN) == 1
    said_there = " ".join("".join(refused.lines).replace("│", "").split())
    assert said_there.count("--new-keys") == 1
    assert "Traceback" not in said_there
    with killable(data, "serve", "--port", "0", "--workers", "2", "--new-keys") as service:
        url = service.ready()
        headers = {"Authorization": f"Bearer {native_token(data)}"}
        image = httpx.post(f"{url}/v1/images", content=pictures.png(8, 8), headers=headers).json()
        assert httpx.get(image["url"]).status_code == 200
    # They stay, though it may make new ones.
    with killable(data, "serve", "--port", urlsplit(url).netloc.rpartition(":")[2], "--new-keys") as again:
        again.ready()
        assert httpx.get(image["url"]).status_code == 200


def served_again(client: httpx.Client, url: str) -> httpx.Response:
    for _ in range(3):
        try:
            return client.get(url)
        except httpx.TransportError:
            continue
    raise AssertionError("the worker was not replaced")


def test_what_renderers_write_when_they_start_is_one_event_of_the_log(data: Path, tmp_path: Path) -> None:
    native_token(data)
    # fontconfig then complains, as in a container that has no configuration of it.
    settings = {"FONTCONFIG_FILE": str(tmp_path / "missing"), "TINTYPE_RENDERERS_COUNT": "2"}
    with killable(data, "serve", "--port", "0", **settings) as service:
        service.ready()
        resting(service.process.pid)
        service.process.send_signal(signal.SIGTERM)
        service.join(STOP_WITHIN)
    (line,) = [line for line in log(service) if line["event"] == "renderer-output"]
    assert str(line["message"]).startswith("Fontconfig error: ")


def test_every_request_is_one_line_of_json_under_the_id_that_the_client_was_told(data: Path) -> None:
    token = native_token(data)
    with killable(data, "serve", "--port", "0", "--workers", "2") as service:
        with httpx.Client(base_url=service.ready(), headers={"Authorization": f"Bearer {token}"}) as client:
            answers = [
                client.get("/v1/images?limit=1"),
                client.get("/v1/images/unknown"),
                client.get("/no/such/path"),
                client.post("/v1/images", content=b"no picture"),
                client.get("/v1/images", headers={"Authorization": ""}),
                *(client.get("/healthz") for _ in range(100)),
            ]
        service.process.send_signal(signal.SIGTERM)
        service.join(STOP_WITHIN)
    lines = {line["request_id"]: line for line in log(service) if line["event"] == "request"}
    for answer in answers:
        line = lines[answer.headers["request-id"]]
        assert (line["status"], line["method"]) == (answer.status_code, answer.request.method)
        assert line["path"] == answer.request.url.path
    line = lines[answers[0].headers["request-id"]]
    assert line["account"]
    assert line["token"]
    assert token not in "".join(service.lines)


def test_workers_that_die_again_and_again_are_started_again(data: Path) -> None:
    with killable(data, "serve", "--port", "0") as service:
        url = service.ready() + "/healthz"
        seen: set[int] = set()
        for _ in range(4):
            seen |= {killed := next_worker(service, seen)}
            os.kill(killed, signal.SIGKILL)
        next_worker(service, seen)
        with httpx.Client(transport=httpx.HTTPTransport(retries=6)) as client:
            assert client.get(url).status_code == 200
        service.process.send_signal(signal.SIGTERM)
        assert service.join(STOP_WITHIN) == 0
    deaths = [line for line in log(service) if line["event"] == "worker-exited"]
    assert [line["signal"] for line in deaths] == ["SIGKILL"] * 4
    assert [line["restarted_in_seconds"] for line in deaths] == [0.1, 0.2, 0.4, 0.8]


def next_worker(service: Killable, before: set[int]) -> int:
    """The worker process that is none of those before, once there is one."""
    until(lambda: not before.issuperset(workers_of(service.process.pid)), STOP_WITHIN)
    return min(set(workers_of(service.process.pid)) - before)


def test_a_worker_that_can_not_start_ends_the_start(data: Path) -> None:
    run(data, "init")
    (data / "renditions").write_text("no folder")
    with killable(data, "serve", "--port", "0") as service:
        assert service.join(STOP_WITHIN) == 1
    assert "startup-failed" in [line["event"] for line in log(service) if "event" in line]


def test_workers_end_with_their_supervisor_even_those_that_do_not_hear_it(data: Path) -> None:
    token, picture = native_token(data), pictures.png(40, 30)
    with killable(data, "serve", "--port", "0", TINTYPE_WEB_STOP_SECONDS="1") as service:
        with connected(service.ready()) as connection:
            begin_upload(connection, token, picture)
            service.process.kill()
            # Its request would go on for as long as its client likes.
            connection.settimeout(STOP_WITHIN)
            assert connection.recv(65_536) == b""
        # Until nobody is left who could write to its standard error.
        service.join(STOP_WITHIN)


def begin_upload(connection: socket.socket, token: str, picture: bytes) -> None:
    """An upload of which the service has read the head, and will read 50 bytes."""
    head = (
        f"POST /v1/images HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: image/png\r\nContent-Length: {len(picture)}\r\nExpect: 100-continue\r\n\r\n"
    )
    connection.sendall(head.encode())
    # The server asks for the body once the request has begun there.
    assert b"100 Continue" in connection.recv(1000)
    connection.sendall(picture[:50])


def test_it_forks_whatever_the_default_of_this_python_is(data: Path) -> None:
    # Python 3.14 has another default than those before.
    program = (
        "import multiprocessing, sys; multiprocessing.set_start_method('forkserver'); "
        "from tintype.cli import main; main(sys.argv[1:])"
    )
    command = [sys.executable, "-c", program, "serve", "--port", "0", "--data", str(data)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        url = next(line.split()[-1] for line in process.stderr if line.startswith("tintype serves "))
        assert httpx.get(f"{url}/readyz").status_code == 200
        process.terminate()
        process.stderr.read()
    assert process.returncode == 0
