"""Uploads whose bytes and Content-Length disagree, over a plain socket: no HTTP client would send them."""

import json
import socket
from urllib.parse import urlsplit

import pytest

from tests import pictures
from tests.dialects.smartsheet.client import Client, new_cell
from tests.running import Running

PNG = pictures.png(40, 30)
SIZE = len(PNG)
CHUNKED = b"%x\r\n%b\r\n0\r\n\r\n" % (SIZE, PNG)


def sent(
    service: Running, client: Client, framing: str, body: bytes, *, ends: bool = False
) -> tuple[int, bytes]:
    """Status and body of the answer to an upload; `ends`: after it the client says that it is done."""
    address = urlsplit(service.base_url)
    head = (
        f"POST {new_cell()} HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {client.token}\r\n"
        f'Content-Disposition: attachment; filename="x.png"\r\nConnection: close\r\n{framing}\r\n'
    )
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=60) as connection:
        connection.sendall(head.encode() + body)
        if ends:
            connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answer:
            top, _, rest = answer.read().partition(b"\r\n\r\n")
    return int(top.split()[1]), rest


@pytest.mark.parametrize("times", [1, 2])
def test_as_many_bytes_as_were_said(service: Running, sheets: Client, times: int) -> None:
    assert sent(service, sheets, f"Content-Length: {SIZE}\r\n" * times, PNG)[0] == 200


@pytest.mark.parametrize(
    ("framing", "body", "code"),
    [
        ("Transfer-Encoding: chunked\r\n", CHUNKED, 1075),
        (f"Transfer-Encoding: chunked\r\nContent-Length: {SIZE - 1}\r\n", CHUNKED, 1075),
        # Fewer said than sent: HTTP ends the body where it said, and the picture is cut.
        (f"Content-Length: {SIZE - 1}\r\n", PNG, 1074),
        ("", b"", 1024),
        ("Content-Length: 0\r\n", b"", 1024),
        ("Transfer-Encoding: chunked\r\n", b"0\r\n\r\n", 1024),
    ],
)
def test_another_number_of_bytes(
    service: Running, sheets: Client, framing: str, body: bytes, code: int
) -> None:
    status, answer = sent(service, sheets, framing, body)
    assert (status, json.loads(answer)["errorCode"]) == (400, code)


@pytest.mark.parametrize(
    ("framing", "body"),
    [
        (f"Content-Length: {SIZE + 1}\r\n", PNG),
        (f"Content-Length: {SIZE}\r\n", PNG[:-1]),
        (f"Content-Length: {SIZE}\r\n", b""),
        ("Transfer-Encoding: chunked\r\n", CHUNKED[:-20]),
    ],
)
def test_a_body_that_breaks_off(service: Running, sheets: Client, framing: str, body: bytes) -> None:
    status, answer = sent(service, sheets, framing, body, ends=True)
    assert (status, json.loads(answer)["errorCode"]) == (400, 1075)


@pytest.mark.parametrize("length", ["x", "-1", "+5", "1, 2", "9" * 30])
def test_a_length_that_is_no_number_is_refused_by_the_server_itself(
    service: Running, sheets: Client, length: str
) -> None:
    assert sent(service, sheets, f"Content-Length: {length}\r\n", PNG)[0] in {400, 413}
