"""Callers and raw sockets for tests of HTTP itself, which speak the native dialect."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from tests.removed import REMOVED
from tests.running import Running

ACCOUNT = "web tests"
LONG = 30
"""Seconds after which a socket test has failed."""


@pytest.fixture(scope="session")
def token(demo: Running) -> str:
    """A native token that may do everything."""
    if "native" in REMOVED:
        pytest.skip("HTTP is tested by native requests, and the folder of native was removed")
    return demo.token("native", ACCOUNT)


@pytest.fixture(scope="session")
def client(demo: Running, token: str) -> Iterator[httpx.Client]:
    """A client with that token."""
    with httpx.Client(base_url=demo.base_url, headers={"Authorization": f"Bearer {token}"}) as found:
        yield found


@pytest.fixture(scope="session")
def anyone(demo: Running) -> Iterator[httpx.Client]:
    """A client without a token."""
    with httpx.Client(base_url=demo.base_url) as found:
        yield found


def connect(service: Running) -> socket.socket:
    """A connection to the service."""
    address = urlsplit(service.base_url)
    return socket.create_connection((address.hostname or "", address.port or 0), timeout=LONG)


def converse(service: Running, request: bytes, *, stop_sending: bool = False) -> bytes:
    """Everything the service says to a request until it closes; the request has to ask for that."""
    with connect(service) as connection:
        connection.sendall(request)
        if stop_sending:
            connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def request(
    method: str, path: str, *headers: str, token: str = "", body: bytes = b"", host: str = "localhost"
) -> bytes:
    """The bytes of a request, whose headers are as given and nothing else."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close", *headers]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def status(answer: bytes) -> int:
    """The status of an answer."""
    return int(answer.split(b" ", 2)[1])
