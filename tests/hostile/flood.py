"""Clients that ask as fast as they are answered: run as a process, so that it takes no turn from a test.

    python flood.py HOST:PORT CONNECTIONS SECONDS < paths

asks for the paths again and again, whatever the answers are, and prints how often each status came.
"""

import json
import selectors
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import cycle


class Client:
    """One connection, and the answer that comes on it."""

    def __init__(self, address: tuple[str, int], paths: Iterator[str]) -> None:
        self._address = address
        self._paths = paths
        self._got = bytearray()
        self._need = -1
        self.socket = socket.create_connection(address)

    def request(self) -> None:
        """Send the next request."""
        self._got.clear()
        self._need = -1
        self.socket.send(f"GET {next(self._paths)} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

    def hear(self) -> int | None:
        """Take what came; the status once the answer is whole, 0 when the connection was closed."""
        chunk = self.socket.recv(262_144)
        if not chunk:
            return 0
        self._got += chunk
        if self._need < 0:
            end = self._got.find(b"\r\n\r\n")
            if end >= 0:
                self._need = end + 4 + _length(bytes(self._got[:end]).lower())
        return int(self._got[9:12]) if 0 <= self._need <= len(self._got) else None


def _length(head: bytes) -> int:
    _, _, rest = head.partition(b"content-length:")
    return int(rest.partition(b"\r\n")[0] or 0)


def flood(address: tuple[str, int], paths: Iterator[str], connections: int, seconds: float) -> Counter[int]:
    """Ask on so many connections for so long; how often each status came."""
    statuses: Counter[int] = Counter()
    with selectors.DefaultSelector() as selector:
        clients = [Client(address, paths) for _ in range(connections)]
        for client in clients:
            selector.register(client.socket, selectors.EVENT_READ, client)
            client.request()
        until = time.monotonic() + seconds
        while time.monotonic() < until and selector.get_map():
            for key, _ in selector.select(timeout=0.1):
                _turn(selector, key.data, statuses)
        for client in clients:
            client.socket.close()
    return statuses


def _turn(selector: selectors.BaseSelector, client: Client, statuses: Counter[int]) -> None:
    try:
        status = client.hear()
    except ConnectionError:
        status = 0
    if status is None:
        return
    statuses[status] += 1
    if status:
        client.request()
    else:
        selector.unregister(client.socket)


if __name__ == "__main__":
    host, _, port = sys.argv[1].rpartition(":")
    asked = cycle(sys.stdin.read().split())
    json.dump(flood((host, int(port)), asked, int(sys.argv[2]), float(sys.argv[3])), sys.stdout)
