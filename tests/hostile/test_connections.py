"""Connections that hold a place: idle ones, dripping ones, and such as don't read what they asked for."""

import math
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests import pictures
from tests.hostile.connecting import PATIENCE, PREFACE, answer, connect, head, status
from tests.hostile.measure import tree
from tests.running import TINTYPE, Running
from tests.service_log import announced
from tests.waiting import until

SOURCES = [f"127.0.0.{last}" for last in range(11, 22)]
EACH = 20
KINDS = 5
ANSWERS_WITHIN = 2.0
SMALL_WINDOW = 4096
LARGE = 4_000_000


class Library:
    """A running service with a picture that is large, and one that is asked for often."""

    def __init__(self, service: Running) -> None:
        self.service = service
        self.token = service.token("native")
        self.large = self._add(pictures.png(1200, 1200, seed=4, compress_level=0))
        self.often = self._add(pictures.jpeg(300, 200, seed=5))
        for _ in range(3):
            assert httpx.get(service.base_url + self.often).status_code == 200

    def upload(self, length: int, *fields: str) -> bytes:
        """The head of an upload of so many bytes."""
        authorization = f"Authorization: Bearer {self.token}"
        return head("POST", "/v1/images", authorization, f"Content-Length: {length}", *fields)

    def _add(self, picture: bytes) -> str:
        headers = {"Authorization": f"Bearer {self.token}"}
        added = httpx.post(self.service.base_url + "/v1/images", content=picture, headers=headers)
        url = urlsplit(added.json()["url"])
        return f"{url.path}?{url.query}"


def never_reading(library: Library, source: str = "127.0.0.1") -> socket.socket:
    """A connection whose answer has no room here, and is not read."""
    address = urlsplit(library.service.base_url)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_WINDOW)
    connection.settimeout(PATIENCE)
    connection.bind((source, 0))
    connection.connect((address.hostname, address.port))
    connection.sendall(head("GET", library.large))
    return connection


@contextmanager
def dripping(connections: list[socket.socket], seconds: float, drop: bytes = b"x") -> Iterator[None]:
    """A byte on each of these connections every so many seconds, while the block runs."""
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(seconds):
            for connection in connections:
                try:
                    connection.send(drop)
                except OSError:
                    # It was ended.
                    continue

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def slowest(library: Library, seconds: float) -> float:
    """The longest that a health check or a picture from memory took, over so many seconds."""
    worst, end = 0.0, time.monotonic() + seconds
    with httpx.Client(base_url=library.service.base_url, timeout=PATIENCE) as client:
        while time.monotonic() < end:
            for path in ("/healthz", library.often):
                began = time.monotonic()
                # Each over a connection of its own: a new one has to be let in.
                assert client.get(path, headers={"Connection": "close"}).status_code == 200
                worst = max(worst, time.monotonic() - began)
            time.sleep(0.1)
    return worst


def test_1100_connections_that_hold_a_place_leave_it_answering(serve: Callable[..., Running]) -> None:
    library = Library(serve())
    base_url = library.service.base_url
    with ExitStack() as stack:

        def many(source: str, request: bytes) -> list[socket.socket]:
            made = [stack.enter_context(connect(base_url, source)) for _ in range(EACH)]
            for connection in made:
                connection.sendall(request)
            return made

        heads, bodies = [], []
        for source in SOURCES:
            many(source, b"")
            many(source, PREFACE)
            heads += many(source, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            bodies += many(source, library.upload(1_000_000) + b"\x89PNG")
            for _ in range(EACH):
                stack.enter_context(never_reading(library, source))
        stack.enter_context(dripping(heads, 5.0))
        stack.enter_context(dripping(bodies, 2.0))
        assert len(SOURCES) * EACH * KINDS == 1100
        assert slowest(library, 7.0) < ANSWERS_WITHIN


def test_idle_connections_give_way_when_hardly_a_place_is_left(serve: Callable[..., Running]) -> None:
    library = Library(serve(TINTYPE_WEB_CONNECTIONS="200", TINTYPE_WEB_FIRST_BYTE_SECONDS="60"))
    with ExitStack() as stack:
        for source in SOURCES:
            for _ in range(100):
                stack.enter_context(connect(library.service.base_url, source))
        assert slowest(library, 5.0) < 5
        assert slowest(library, 2.0) < ANSWERS_WITHIN


def test_an_address_has_only_so_many_and_those_that_do_least_go(serve: Callable[..., Running]) -> None:
    service = serve(TINTYPE_WEB_CONNECTIONS_PER_ADDRESS="10", TINTYPE_WEB_FIRST_BYTE_SECONDS="60")
    with ExitStack() as stack:
        works = [stack.enter_context(connect(service.base_url, "127.0.0.7")) for _ in range(5)]
        for connection in works:
            connection.sendall(head("GET", "/healthz"))
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
        other = stack.enter_context(connect(service.base_url, "127.0.0.8"))
        idle = [stack.enter_context(connect(service.base_url, "127.0.0.7")) for _ in range(30)]
        until(lambda: len([each for each in idle if not is_ended(each)]) <= 5, PATIENCE)
        assert len([each for each in idle if not is_ended(each)]) == 5
        for connection in (*works, other):
            connection.sendall(head("GET", "/healthz"))
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")


def is_ended(connection: socket.socket) -> bool:
    connection.settimeout(0.1)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    finally:
        connection.settimeout(PATIENCE)


QUICK = {
    "TINTYPE_WEB_FIRST_BYTE_SECONDS": "1",
    "TINTYPE_WEB_HEAD_SECONDS": "2",
    "TINTYPE_WEB_RATE_SECONDS": "2",
    "TINTYPE_WEB_MIN_RATE": "1000",
}


def test_all_that_hold_a_place_are_ended(serve: Callable[..., Running]) -> None:
    library = Library(serve(**QUICK))
    base_url = library.service.base_url
    began = time.monotonic()
    with ExitStack() as stack:
        silent, slow_head, slow_body, idle, unread = (
            stack.enter_context(connection)
            for connection in (*(connect(base_url) for _ in range(4)), never_reading(library))
        )
        slow_head.sendall(b"GET /healthz HT")
        slow_body.sendall(library.upload(1_000_000) + b"\x89PNG")
        idle.sendall(head("GET", "/healthz"))
        stack.enter_context(dripping([slow_head, slow_body], 0.3))
        assert answer(silent) == b""
        assert answer(slow_head) == b""
        refused = answer(slow_body)
        assert status(refused) == 400
        assert b"\r\nconnection: close\r\n" in refused
        assert status(answer(idle)) == 200
        until(lambda: is_reset(unread), PATIENCE)
    assert time.monotonic() - began < PATIENCE


def is_reset(connection: socket.socket) -> bool:
    """Whether the other side dropped the connection, before its answer was read."""
    return bool(connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))


SLOW = {name: "4" if name.endswith("_SECONDS") else "200" for name in QUICK}
"""Such that the client may be held up for a moment."""


def test_who_is_slow_but_keeps_the_rate_is_served(serve: Callable[..., Running]) -> None:
    library = Library(serve(**SLOW))
    picture = pictures.jpeg(300, 200, seed=6)
    piece = math.ceil(len(picture) / 12)
    with connect(library.service.base_url) as upload, never_reading(library) as download:
        upload.sendall(library.upload(len(picture), "Connection: close"))
        got = 0
        # 6 seconds: longer than every limit, at more than the least rate.
        for begin in range(0, len(picture), piece):
            upload.sendall(picture[begin : begin + piece])
            got += len(download.recv(4096))
            time.sleep(0.5)
        assert status(answer(upload)) == 201
        while chunk := download.recv(65_536):
            got += len(chunk)
            if got >= LARGE:
                break
    assert got >= LARGE


def test_a_thousand_connections_cost_little_to_watch(serve: Callable[..., Running]) -> None:
    library = Library(serve(TINTYPE_WEB_FIRST_BYTE_SECONDS="60"))
    with ExitStack() as stack:
        for source in SOURCES:
            for _ in range(91):
                stack.enter_context(connect(library.service.base_url, source))
        time.sleep(2)
        before = processor_seconds(library.service)
        time.sleep(5)
        assert processor_seconds(library.service) - before < 5 * 0.03


def processor_seconds(service: Running) -> float:
    """What all of its processes have used."""
    total = 0
    for process in tree(service.process.pid):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / 100


@pytest.mark.parametrize("length", ["Content-Length: 3000000", "Transfer-Encoding: chunked"])
def test_the_body_of_a_stranger_is_not_read_for_long(serve: Callable[..., Running], length: str) -> None:
    """1 MiB, and what lies in buffers on the way."""
    service = serve()
    with connect(service.base_url) as connection:
        connection.sendall(head("POST", "/v1/images", length))
        sent, chunk = 0, b"10000\r\n" + b"x" * 65_536 + b"\r\n"
        try:
            while sent < 200_000_000:
                connection.sendall(chunk)
                sent += len(chunk)
        except ConnectionError:
            pass
        assert sent < 30_000_000


def test_where_few_files_can_be_opened_idle_connections_give_way_in_time(tmp_path: Path) -> None:
    command = f"ulimit -n 600; exec {TINTYPE} serve --port 0 --data {tmp_path / 'library'}"
    env = {**os.environ, "TINTYPE_WEB_FIRST_BYTE_SECONDS": "60"}
    log_path = tmp_path / "log"
    with (
        log_path.open("w") as file,
        subprocess.Popen(["sh", "-c", command], stderr=file, env=env) as process,
        ExitStack() as stack,
    ):
        stack.callback(process.terminate)
        url = announced(log_path)
        for source in SOURCES:
            for _ in range(20):
                stack.enter_context(connect(url, source))
        for _ in range(20):
            assert httpx.get(f"{url}/healthz", timeout=PATIENCE).status_code == 200
    assert "open-file-limit-low" in log_path.read_text()
