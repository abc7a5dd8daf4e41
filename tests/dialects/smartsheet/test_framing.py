"""Uploads whose bytes and Content-Length disagree, over a plain socket: no HTTP client would send them."""

import json
import re
import socket
from collections.abc import Callable
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
        # Fewer said than sent: HTTP ends the body where it said, and the picture lacks pixels.
        (f"Content-Length: {SIZE - 20}\r\n", PNG, 1074),
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


STALLING = [
    ("cellimages", f"Content-Length: {SIZE}\r\n", PNG[:-1]),
    ("cellimages", f"Content-Length: {SIZE}\r\n", b""),
    ("cellimages", f"Content-Length: {SIZE}\r\nExpect: 100-continue\r\n", b""),
    ("cellimages", "Transfer-Encoding: chunked\r\n", CHUNKED[:-5]),
    ("cellimages", "Content-Length: 30000000\r\n", PNG),
    ("imageurls", "Content-Length: 50\r\n", b"["),
    ("imageurls", "Transfer-Encoding: chunked\r\n", b"1\r\n[\r\n"),
]


@pytest.mark.parametrize(("scopes", "status"), [(["READ_SHEETS", "WRITE_SHEETS"], b"400"), ([], b"401")])
def test_after_a_body_that_stalls_the_response_says_that_the_connection_ends(
    serve: Callable[..., Running], scopes: list[str], status: bytes
) -> None:
    service = serve(TINTYPE_WEB_BODY_IDLE_SECONDS="0.5", TINTYPE_SMARTSHEET_REQUESTS="0")
    token = service.token("smartsheet", scope=scopes) if scopes else "nonsense"
    for what, framing, body in STALLING:
        path = new_cell() if what == "cellimages" else "/2.0/imageurls"
        top, _, answer = exchanged(service, path, token, framing, body).partition(b"\r\n\r\n")
        assert top.split()[1] == status, (framing, top)
        assert b"\r\nconnection: close" in top.lower(), (framing, top)
        assert b"errorCode" in answer


def exchanged(service: Running, path: str, token: str, framing: str, body: bytes) -> bytes:
    """The response on a connection that the client would keep."""
    address = urlsplit(service.base_url)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Disposition: attachment; filename=x.png\r\n{framing}\r\n"
    )
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=60) as connection:
        connection.sendall(head.encode() + body)
        with connection.makefile("rb") as answer:
            top = b"".join(iter(answer.readline, b"\r\n"))
            if top.startswith(b"HTTP/1.1 100"):
                top = b"".join(iter(answer.readline, b"\r\n"))
            length = re.search(rb"content-length: (\d+)", top, re.IGNORECASE)
            return top + b"\r\n" + (answer.read(int(length[1])) if length else answer.read())
