"""A client that stops in the middle of a body, or never comes to its end."""

import socket
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

from tests.running import Running


def test_a_body_that_stands_still_is_given_up_and_leaves_nothing(serve: Callable[..., Running]) -> None:
    service = serve(TINTYPE_WEB_BODY_IDLE_SECONDS="0.2")
    token = service.token("native")
    address = urlsplit(service.base_url)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=20) as connection:
        connection.sendall(
            b"POST /v1/images HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
            b"Authorization: Bearer " + token.encode() + b"\r\n\r\n\x89PNG"
        )
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"urn:tintype:error:malformed" in answer
    assert list((service.data / "incoming").iterdir()) == []


def test_a_body_may_take_only_so_long_in_all(serve: Callable[..., Running]) -> None:
    service = serve(TINTYPE_WEB_BODY_SECONDS="0.5")
    token = service.token("native")
    address = urlsplit(service.base_url)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=0.05) as connection:
        connection.sendall(
            b"POST /v1/images HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n"
            b"Authorization: Bearer " + token.encode() + b"\r\n\r\n"
        )
        answer = b""
        for _ in range(1000):
            connection.sendall(b"\x89" * 1000)
            with suppress(TimeoutError):
                answer = connection.recv(65536)
                break
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"\r\nconnection: close\r\n" in answer
