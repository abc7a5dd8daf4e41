"""A client that stops in the middle of a body."""

import socket
from collections.abc import Callable
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
