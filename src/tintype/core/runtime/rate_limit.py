"""How often a token may ask: a sliding window, counted in this process."""

import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from itertools import islice

from msgspec import Struct

from tintype.model import Error, Kind

MAX_KEYS = 20_000
"""Windows remembered at once; beyond it the one that was asked longest ago is forgotten."""


class RateLimitStatus(Struct, frozen=True):
    """What is left: `remaining` of `limit` requests; the window is empty again in `reset_seconds`."""

    limit: int
    remaining: int
    reset_seconds: int


class _Window:
    __slots__ = ("spent", "taken")

    def __init__(self) -> None:
        self.taken: deque[tuple[float, int]] = deque()
        self.spent = 0


class RateLimiter:
    """At most `limit` requests in any `seconds`, a key. A refused request costs nothing.

    Args:
        limit: requests in a window; 0 is no limit.
        seconds: length of the window.
        now: a clock that only goes forward, in seconds.
    """

    def __init__(self, limit: int, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._seconds = seconds
        self._now = now
        self._windows: OrderedDict[Hashable, _Window] = OrderedDict()

    def take(self, key: Hashable, cost: int = 1) -> RateLimitStatus:
        """Count a request.

        Raises:
            Error: TOO_MANY_REQUESTS, with the seconds until it would pass.
        """
        if not self._limit:
            return RateLimitStatus(0, 0, 0)
        now = self._now()
        self._drop_over(now)
        window = self._window(key)
        self._forget(window, now)
        if window.spent + cost > self._limit:
            raise Error(
                Kind.TOO_MANY_REQUESTS,
                f"At most {self._limit} requests in {self._seconds:g} seconds are answered.",
                retry_after=self._wait(window, now, cost),
            )
        window.taken.append((now, cost))
        window.spent += cost
        return self.left(key)

    def left(self, key: Hashable) -> RateLimitStatus:
        """What a key has left, without counting a request."""
        window = self._window(key)
        now = self._now()
        self._forget(window, now)
        reset = math.ceil(window.taken[-1][0] + self._seconds - now) if window.taken else 0
        return RateLimitStatus(self._limit, max(0, self._limit - window.spent), reset)

    def _window(self, key: Hashable) -> _Window:
        window = self._windows.setdefault(key, _Window())
        self._windows.move_to_end(key)
        if len(self._windows) > MAX_KEYS:
            self._windows.popitem(last=False)
        return window

    def _drop_over(self, now: float) -> None:
        """Drop windows in which nothing is left: two at a time, as each request can add one."""
        for key, window in list(islice(self._windows.items(), 2)):
            if window.taken and window.taken[-1][0] > now - self._seconds:
                return
            del self._windows[key]

    def _forget(self, window: _Window, now: float) -> None:
        while window.taken and window.taken[0][0] <= now - self._seconds:
            window.spent -= window.taken.popleft()[1]

    def _wait(self, window: _Window, now: float, cost: int) -> int:
        spent = window.spent
        for moment, price in window.taken:
            spent -= price
            if spent + cost <= self._limit:
                return max(1, math.ceil(moment + self._seconds - now))
        return max(1, math.ceil(self._seconds))
