"""Finds connections that are idle, slow or too many, and closes them.

The server itself limits the time for request heads (`head_seconds`), and `request_body` that for bodies. The
rest is found by the kernel's counters: connections that send nothing at all, clients that don't read their
response, and addresses with too many connections.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sized

import structlog

from tintype.web import tcp
from tintype.web.settings import WebSettings
from tintype.web.tcp import Traffic
from tintype.web.unsigned_limits import client_network

CHECK_SECONDS = 1.0
"""Seconds between two checks of all connections."""
CROWDED_CHECK_SECONDS = 0.25
"""The same while nearly all connections are in use."""
SLICE = 200
"""Descriptors checked before the event loop gets its turn."""
HIGH_WATERMARK, LOW_WATERMARK = 0.9, 0.5
"""Above the first fraction of `[web] connections` idle ones are closed early, down to the second."""

log = structlog.get_logger("tintype")


class Connection:
    """A tracked connection.

    Attributes:
        descriptor: its file descriptor.
        traffic: its counters at the last check.
        address: the client's; of IPv6 the first 64 bits.
        opened: when it was first seen.
        slow_from: since when bytes wait to be read by the client, and how many it had read then.
    """

    __slots__ = ("address", "descriptor", "opened", "slow_from", "traffic")

    def __init__(self, descriptor: int, traffic: Traffic, address: str, opened: float) -> None:
        self.descriptor = descriptor
        self.traffic = traffic
        self.address = address
        self.opened = opened
        self.slow_from: tuple[float, int] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way: none came yet, or all are answered and read."""
        return not self.traffic.received or (self.traffic.is_answered and not self.traffic.is_waiting)

    def priority(self) -> tuple[bool, bool, int]:
        """The sort key for closing: the lowest is closed first."""
        return self.traffic.received > 0, not self.is_idle, self.traffic.received + self.traffic.acked


class ConnectionPolicy:
    """Selects the connections to close. Pure.

    Args:
        settings: the limits.
        by_address: whether they are counted by address; not behind a proxy.
    """

    def __init__(self, settings: WebSettings, *, by_address: bool) -> None:
        self._settings = settings
        self._max_per_address = settings.connections_per_address if by_address else 0

    def select(self, connections: Collection[Connection], now: float) -> dict[str, list[Connection]]:
        """The connections to close, by reason."""
        silent = [each for each in connections if self._is_silent(each, now)]
        slow = [each for each in connections if self._is_slow(each, now)]
        selected = {id(each) for each in (*silent, *slow)}
        remaining = [each for each in connections if id(each) not in selected]
        too_many = list(self._too_many(remaining)) or list(self._excess_idle(remaining, now))
        return {"silent": silent, "not read": slow, "too many": too_many}

    def is_nearly_full(self, connections: Sized) -> bool:
        """Whether nearly all connections are in use."""
        return len(connections) > HIGH_WATERMARK * self._settings.connections

    def _is_silent(self, connection: Connection, now: float) -> bool:
        return not connection.traffic.received and now - connection.opened > self._settings.first_byte_seconds

    def _is_slow(self, connection: Connection, now: float) -> bool:
        """Whether the client read too slowly during `rate_seconds` in which bytes were always waiting."""
        acked = connection.traffic.acked
        if not connection.traffic.is_waiting:
            connection.slow_from = None
        elif connection.slow_from is None:
            connection.slow_from = now, acked
        else:
            since, acked_then = connection.slow_from
            if now - since >= self._settings.rate_seconds:
                connection.slow_from = now, acked
                return acked - acked_then < self._settings.min_rate * (now - since)
        return False

    def _too_many(self, connections: Iterable[Connection]) -> Iterator[Connection]:
        """Of each address the least active ones beyond its limit."""
        if not self._max_per_address:
            return
        by_address = defaultdict(list)
        for each in connections:
            by_address[each.address].append(each)
        for current in by_address.values():
            if len(current) > self._max_per_address:
                yield from sorted(current, key=Connection.priority)[: len(current) - self._max_per_address]

    def _excess_idle(self, connections: Collection[Connection], now: float) -> Iterator[Connection]:
        """When nearly all are in use: idle ones, except new ones."""
        if self.is_nearly_full(connections):
            excess = len(connections) - int(LOW_WATERMARK * self._settings.connections)
            idle = [each for each in connections if each.is_idle and now > each.opened]
            yield from sorted(idle, key=Connection.priority)[:excess]


class ConnectionGuard:
    """Checks the connections of this process to its port, and closes those that the policy selects.

    Args:
        settings: the limits, and the port.
        by_address: as for `ConnectionPolicy`.
    """

    def __init__(self, settings: WebSettings, *, by_address: bool) -> None:
        self._port = settings.port
        self._policy = ConnectionPolicy(settings, by_address=by_address)
        self._connections: dict[int, Connection] = {}
        self._other_sockets: set[int] = set()
        """Cookies of sockets that are not connected to our port."""

    async def watch(self) -> None:
        """Check all connections periodically."""
        while True:
            is_nearly_full = self._policy.is_nearly_full(self._connections)
            await asyncio.sleep(CROWDED_CHECK_SECONDS if is_nearly_full else CHECK_SECONDS)
            await self.check_all()

    async def check_all(self) -> None:
        """Check all connections once."""
        now = time.monotonic()
        current: dict[int, Connection] = {}
        other_sockets: set[int] = set()
        for descriptor in tcp.descriptors():
            if not descriptor % SLICE:
                await asyncio.sleep(0)
            traffic = tcp.traffic(descriptor)
            if traffic is not None:
                connection = self._track(descriptor, traffic, now)
                if connection is None:
                    other_sockets.add(traffic.cookie)
                else:
                    current[traffic.cookie] = connection
        self._connections, self._other_sockets = current, other_sockets
        for reason, connections in self._policy.select(current.values(), now).items():
            _close(reason, connections)

    def _track(self, descriptor: int, traffic: Traffic, now: float) -> Connection | None:
        tracked = self._connections.get(traffic.cookie)
        if tracked is not None:
            tracked.descriptor, tracked.traffic = descriptor, traffic
            return tracked
        ends = None if traffic.cookie in self._other_sockets else tcp.endpoints(descriptor)
        if ends is None or ends[0] != self._port:
            return None
        peer = client_network({"client": (ends[1], 0), "headers": ()}, 0)
        return Connection(descriptor, traffic, peer, now)


def _close(reason: str, connections: Collection[Connection]) -> None:
    drop = reason == "not read"
    ended = [each for each in connections if tcp.shut_down(each.descriptor, each.traffic.cookie, drop=drop)]
    if ended:
        log.info("connections-closed", reason=reason, connections=len(ended), address=ended[0].address)
