"""Rate limits by sliding window, counted in this process."""

import math
import time
from collections import deque
from collections.abc import Callable, Hashable

from msgspec import Struct

from tintype.core.runtime.lru_cache import LRUCache
from tintype.model import TooManyRequests

MAX_KEYS = 20_000
"""Windows kept; beyond it the least recently used is dropped."""


class RateLimitStatus(Struct, frozen=True):
    """`remaining` of `limit` requests are left; all of them are available again in `reset_seconds`."""

    limit: int
    remaining: int
    reset_seconds: int


class _Window:
    __slots__ = ("requests", "total")

    def __init__(self) -> None:
        self.requests: deque[tuple[float, int]] = deque()
        self.total = 0


class RateLimiter:
    """At most `limit` requests of each key in any `seconds`. A refused request is not counted.

    Args:
        limit: requests in a window; 0: no limit.
        seconds: length of the window.
        now: a clock that only goes forward, in seconds.
    """

    def __init__(self, limit: int, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._seconds = seconds
        self._now = now
        self._windows: LRUCache[Hashable, _Window] = LRUCache(MAX_KEYS)

    def take(self, key: Hashable, cost: int = 1) -> RateLimitStatus:
        """Count a request.

        Raises:
            TooManyRequests: when the limit is reached.
        """
        if not self._limit:
            return RateLimitStatus(0, 0, 0)
        now = self._now()
        self._drop_expired(now)
        window = self._window(key)
        self._expire(window, now)
        if window.total + cost > self._limit:
            raise TooManyRequests(
                f"At most {self._limit} requests in {self._seconds:g} seconds are answered.",
                retry_after=self._retry_after(window, now, cost),
            )
        window.requests.append((now, cost))
        window.total += cost
        return self._status(window, now)

    def status(self, key: Hashable) -> RateLimitStatus:
        """What a key has left; no request is counted."""
        window = self._window(key)
        now = self._now()
        self._expire(window, now)
        return self._status(window, now)

    def _status(self, window: _Window, now: float) -> RateLimitStatus:
        reset = self._seconds_left(window.requests[-1][0], now) if window.requests else 0
        return RateLimitStatus(self._limit, max(0, self._limit - window.total), reset)

    def _seconds_left(self, at: float, now: float) -> int:
        """Whole seconds until a request leaves the window. In this order floats don't add up to one more."""
        return math.ceil(self._seconds - (now - at))

    def _window(self, key: Hashable) -> _Window:
        window = self._windows.get(key)
        if window is None:
            window = _Window()
            self._windows.put(key, window)
        return window

    def _drop_expired(self, now: float) -> None:
        """Drop expired windows, two per call: each request adds one at most, so this keeps up."""
        for key, window in self._windows.oldest(2):
            if window.requests and window.requests[-1][0] > now - self._seconds:
                return
            self._windows.remove(key)

    def _expire(self, window: _Window, now: float) -> None:
        while window.requests and window.requests[0][0] <= now - self._seconds:
            window.total -= window.requests.popleft()[1]

    def _retry_after(self, window: _Window, now: float, cost: int) -> int:
        total = window.total
        for at, each in window.requests:
            total -= each
            if total + cost <= self._limit:
                return max(1, self._seconds_left(at, now))
        return max(1, math.ceil(self._seconds))
