"""Connections as no well-behaved client makes them."""

import socket
from contextlib import suppress
from urllib.parse import urlsplit

PATIENCE = 20.0
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
"""RFC 9113, 3.4: what a client of HTTP/2 sends first, and an empty SETTINGS frame."""


def connect(base_url: str, source: str = "127.0.0.1") -> socket.socket:
    """A connection to a service, from an address of this machine."""
    address = urlsplit(base_url)
    there = (address.hostname or "", address.port or 0)
    return socket.create_connection(there, timeout=PATIENCE, source_address=(source, 0))


def head(method: str, path: str, *fields: str) -> bytes:
    """The head of a request; `Host` is among the fields unless the test says otherwise."""
    named = {field.partition(":")[0].lower() for field in fields}
    host = () if "host" in named else ("Host: localhost",)
    return "\r\n".join([f"{method} {path} HTTP/1.1", *host, *fields, "", ""]).encode("latin-1")


def answer(connection: socket.socket) -> bytes:
    """All that comes until the other side is done; a reset is an end too."""
    got = b""
    with suppress(ConnectionError):
        while chunk := connection.recv(65_536):
            got += chunk
    return got


def status(response: bytes) -> int:
    """The status of an answer; 0 if there is none."""
    return int(response.split(b" ", 2)[1]) if response.startswith(b"HTTP/1.") else 0
