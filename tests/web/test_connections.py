"""Which connections go, and that the right one is ended."""

import socket
from collections.abc import Iterator

import pytest

from tintype.web import tcp
from tintype.web.connections import Connection, ConnectionPolicy
from tintype.web.settings import WebSettings
from tintype.web.tcp import Traffic

LIMITS = WebSettings(
    connections=100, connections_per_address=3, first_byte_seconds=10, min_rate=1000, rate_seconds=30
)


def connection(
    number: int = 0, *, received: int = 100, acked: int = 100, waits: bool = False, answered: bool = True
) -> Connection:
    return Connection(number, Traffic(number, received, acked, waits, answered), "192.0.2.1", 0.0)


def judged(*connections: Connection, now: float, by_address: bool = True) -> dict[str, list[int]]:
    found = ConnectionPolicy(LIMITS, by_address=by_address).select(connections, now)
    return {reason: [each.descriptor for each in gone] for reason, gone in found.items() if gone}


@pytest.mark.parametrize(
    ("received", "seconds", "goes"), [(0, 10.1, True), (0, 9.9, False), (1, 99.0, False)]
)
def test_who_says_nothing_goes(received: int, seconds: float, *, goes: bool) -> None:
    assert judged(connection(received=received), now=seconds) == ({"silent": [0]} if goes else {})


@pytest.mark.parametrize(("read", "goes"), [(0, True), (29_000, True), (30_000, False)])
def test_who_reads_less_than_the_rate_over_the_time_goes(read: int, *, goes: bool) -> None:
    policy, slow = ConnectionPolicy(LIMITS, by_address=True), connection(waits=True)
    for now in range(60):
        acked = 100 + read * min(now, 30) // 30 + 10**9 * (now > 30)
        slow.traffic = slow.traffic._replace(acked=acked)
        gone = policy.select([slow], float(now))["not read"]
        assert bool(gone) == (goes and now == 30)


def test_who_has_read_all_in_between_begins_anew() -> None:
    policy, reader = ConnectionPolicy(LIMITS, by_address=True), connection()
    for now in range(200):
        reader.traffic = reader.traffic._replace(acked=now // 20, is_waiting=now % 20 > 0)
        assert policy.select([reader], float(now))["not read"] == []


def test_beyond_the_limit_of_an_address_those_go_that_did_least() -> None:
    silent, idle, works = connection(1, received=0), connection(2), connection(3, answered=False)
    reads = connection(4, waits=True)
    busy = connection(5, received=10**6, answered=False)
    assert judged(busy, works, reads, idle, silent, now=1.0) == {"too many": [1, 2]}
    assert judged(busy, works, reads, idle, silent, now=1.0, by_address=False) == {}


def test_other_addresses_count_for_themselves() -> None:
    connections = [connection(number) for number in range(6)]
    for each in connections[3:]:
        each.address = "192.0.2.2"
    assert judged(*connections, now=1.0) == {}


def test_where_hardly_a_place_is_left_idle_ones_go_but_none_that_works_or_has_just_come() -> None:
    idle = [connection(number) for number in range(60)]
    works = [connection(number, answered=False) for number in range(60, 95)]
    for each in idle[:20]:
        each.opened = 7.0
    assert judged(*idle, *works, now=7.0, by_address=False) == {"too many": list(range(20, 60))}
    assert judged(*idle[:40], *works, now=7.0, by_address=False) == {}


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname(), timeout=20) as client,
        server.accept()[0] as ours,
    ):
        yield client, ours


def test_the_kernel_tells_what_went_over_a_connection(pair: tuple[socket.socket, socket.socket]) -> None:
    client, ours = pair
    client.sendall(b"12345")
    assert ours.recv(5) == b"12345"
    ours.sendall(b"123")
    assert client.recv(3) == b"123"
    found = tcp.traffic(ours.fileno())
    assert found is not None
    assert found.received == 5
    assert ours.fileno() in tcp.descriptors()
    assert tcp.endpoints(ours.fileno()) == (ours.getsockname()[1], "127.0.0.1")


def test_only_the_connection_that_was_looked_at_is_ended(pair: tuple[socket.socket, socket.socket]) -> None:
    client, ours = pair
    found = tcp.traffic(ours.fileno())
    assert found is not None
    assert not tcp.shut_down(ours.fileno(), found.cookie + 1, drop=True)
    client.sendall(b"1")
    assert ours.recv(1) == b"1"
    assert tcp.shut_down(ours.fileno(), found.cookie, drop=False)
    assert client.recv(1) == b""


def test_what_is_no_connection_is_none() -> None:
    assert tcp.traffic(2) is None
    assert tcp.traffic(10**6) is None
    assert tcp.endpoints(10**6) is None
    assert not tcp.shut_down(10**6, 1, drop=True)
