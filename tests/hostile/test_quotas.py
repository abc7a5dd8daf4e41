"""An account that takes more than it may is told so before a byte of its body is read, by every dialect."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests import pictures
from tests.running import Running
from tests.waiting import until

ACCOUNT = "greedy"
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Uploading:
    """How a dialect takes an image in, and how it refuses one beyond the quota."""

    dialect: str
    path: str
    headers: dict[str, str]
    refusal: dict[str, object]

    def head(self, service: Running, length: int | None = None) -> bytes:
        """The head of an upload of so many bytes that waits for a word before it sends them."""
        token = service.token(self.dialect, ACCOUNT)
        size = {"Transfer-Encoding": "chunked"} if length is None else {"Content-Length": str(length)}
        lines = {
            "Host": urlsplit(service.base_url).netloc,
            "Authorization": f"Bearer {token}",
            "Expect": "100-continue",
            **self.headers,
            **size,
        }
        fields = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return f"POST {self.path} HTTP/1.1\r\n{fields}\r\n".encode()


MULTIPART: dict[str, str] = {"Content-Type": "multipart/form-data; boundary=x"}
PNG = {"Content-Type": "image/png", "Content-Disposition": 'attachment; filename="a.png"'}
SENTENCE = "The account may hold 1000 bytes of originals; this would be more."
NATIVE: dict[str, object] = {"type": "urn:tintype:error:quota-exceeded", "detail": SENTENCE}
DIALECTS = (
    Uploading("native", "/v1/images", PNG, NATIVE),
    Uploading("native", "/v1/images", MULTIPART, NATIVE),
    Uploading(
        "smartsheet",
        "/2.0/sheets/1/rows/2/columns/3/cellimages",
        PNG,
        {"errorCode": 1004, "message": f"You are not authorized to perform this action: {SENTENCE}"},
    ),
    Uploading(
        "evotor",
        "/stores/s/products/p/images",
        MULTIPART,
        {"code": "forbidden", "message": SENTENCE, "violations": []},
    ),
)


@pytest.fixture
def service(serve: Callable[..., Running]) -> Running:
    running = serve()
    running.token("native", ACCOUNT)
    return running


@pytest.fixture
def dial(service: Running) -> Iterator[Callable[[], socket.socket]]:
    opened: list[socket.socket] = []
    address = urlsplit(service.base_url)

    def connect() -> socket.socket:
        connection = socket.create_connection((address.hostname, address.port), timeout=20)
        opened.append(connection)
        return connection

    yield connect
    for each in opened:
        each.close()


def answered(connection: socket.socket) -> tuple[int, dict[str, object], str]:
    """Status, body and head of an answer."""
    received = b""
    while b"\r\n\r\n" not in received or not received.endswith(b"}"):
        chunk = connection.recv(65536)
        assert chunk, received
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body), head.decode().lower()


def incoming(service: Running) -> list[Path]:
    return [path for path in (service.data / "incoming").iterdir() if path.is_file()]


@pytest.mark.parametrize("how", DIALECTS, ids=lambda how: f"{how.dialect} {how.headers['Content-Type'][:5]}")
def test_an_upload_beyond_the_quota_is_refused_before_its_body(
    service: Running, dial: Callable[[], socket.socket], how: Uploading
) -> None:
    service.cli("account", "quota", ACCOUNT, "--bytes", "1000")
    connection = dial()
    connection.sendall(how.head(service, MEBIBYTE))
    # "100 Continue" would come first, had anybody asked for the body.
    status, body, _ = answered(connection)
    assert status == 403
    assert {name: body.get(name) for name in how.refusal} == how.refusal
    assert incoming(service) == []


@pytest.mark.parametrize(
    ("settings", "token", "status"),
    [
        ({"TINTYPE_QUOTAS_MAX_BYTES": "1000"}, "native", 403),
        ({"TINTYPE_IMAGES_MAX_BYTES": "1000"}, "native", 413),
        ({}, "", 401),
    ],
)
def test_what_is_too_long_to_be_dropped_is_not_waited_for(
    serve: Callable[..., Running], settings: dict[str, str], token: str, status: int
) -> None:
    service = serve(TINTYPE_WEB_DRAIN_BYTES="65536", **settings)
    address = urlsplit(service.base_url)
    secret = service.token(token) if token else "made-up"
    head = f"Host: {address.netloc}\r\nAuthorization: Bearer {secret}\r\nContent-Length: {2 * MEBIBYTE}"
    dial = socket.create_connection((address.hostname, address.port), timeout=5)
    with dial as connection, connection.makefile("rb") as answer:
        # No body follows, and nobody said that it waits for a word.
        connection.sendall(f"POST /v1/images HTTP/1.1\r\n{head}\r\n\r\n".encode())
        received = answer.read()
    assert received.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nconnection: close\r\n" in received


def test_a_body_of_unknown_length_is_refused_when_it_is_too_much(
    service: Running, dial: Callable[[], socket.socket]
) -> None:
    service.cli("account", "quota", ACCOUNT, "--bytes", "500kB")
    connection = dial()
    connection.sendall(DIALECTS[0].head(service))
    assert connection.recv(100).startswith(b"HTTP/1.1 100")
    for _ in range(3):
        connection.sendall(b"%x\r\n%s\r\n" % (256 * 1024, bytes(256 * 1024)))
    connection.sendall(b"0\r\n\r\n")
    assert answered(connection)[0] == 403
    assert incoming(service) == []


def test_uploads_under_way_are_bounded_in_number_and_bytes(
    service: Running, dial: Callable[[], socket.socket]
) -> None:
    service.cli("account", "quota", ACCOUNT, "--uploads", "3", "--bytes", "10MiB")
    how = DIALECTS[0]
    slow = [dial() for _ in range(3)]
    for connection in slow:
        connection.sendall(how.head(service, 3 * MEBIBYTE))
        assert connection.recv(100).startswith(b"HTTP/1.1 100")
    another = dial()
    another.sendall(how.head(service, 1))
    status, body, head = answered(another)
    assert (status, body["type"]) == (429, "urn:tintype:error:too-many-requests")
    assert "\r\nretry-after: 1" in head
    slow[0].close()
    # Two are under way, with 6 MiB.
    # The service hears of a closed connection a moment later.
    until(lambda: refusal(dial(), how.head(service, 5 * MEBIBYTE)) == (403, "quota-exceeded"))
    other = {"Authorization": f"Bearer {service.token('native', 'modest')}"}
    httpx.post(f"{service.base_url}/v1/images", content=pictures.png(), headers=other).raise_for_status()


def refusal(connection: socket.socket, head: bytes) -> tuple[int, str]:
    connection.sendall(head)
    status, body, _ = answered(connection)
    return status, str(body["type"]).rpartition(":")[2]


def test_what_an_account_holds_is_exact_whatever_comes_at_once(service: Running) -> None:
    service.cli("account", "quota", ACCOUNT, "--images", "10")
    headers = {"Authorization": f"Bearer {service.token('native', ACCOUNT)}"}
    statuses: list[int] = []

    def upload(seed: int) -> None:
        with httpx.Client(base_url=service.base_url, headers=headers, timeout=60) as client:
            statuses.append(client.post("/v1/images", content=pictures.png(seed=seed)).status_code)

    threads = [threading.Thread(target=upload, args=(seed,)) for seed in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201] * 10 + [403] * 14
    held = json.loads(service.cli("account", "show", ACCOUNT, "--json"))["usage"]
    listed = httpx.get(f"{service.base_url}/v1/images", headers=headers).json()["images"]
    assert held == {"images": 10, "bytes": sum(image["bytes"] for image in listed)}
    assert "Every image has its bytes" in service.cli("check")
