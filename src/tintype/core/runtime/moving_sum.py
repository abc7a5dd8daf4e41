"""Exponentially decaying sums by key, in constant space per key."""

import math
import time
from collections.abc import Callable, Hashable

from tintype.core.runtime.lru_cache import LRUCache

MAX_KEYS = 100_000
"""Keys kept; beyond it the least recently used is dropped."""


class MovingSum:
    """The amount that each key used in about the last `seconds`, exponentially weighted.

    An amount decays by a factor of e every `seconds`, so a constant rate r sums up to r times `seconds`.

    Args:
        seconds: the time constant.
        now: a clock that only goes forward, in seconds.
    """

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._now = now
        self._sums: LRUCache[Hashable, tuple[float, float]] = LRUCache(MAX_KEYS)

    def add(self, key: Hashable, amount: float) -> None:
        """Add an amount, used now."""
        self._sums.put(key, (self.sum(key) + amount, self._now()))

    def sum(self, key: Hashable) -> float:
        """The decayed sum of a key."""
        total, at = self._sums.peek(key) or (0.0, 0.0)
        return total * math.exp((at - self._now()) / self._seconds) if total else 0.0

    def wait(self, key: Hashable, limit: float) -> int:
        """Whole seconds until the sum of a key is below the limit; 0 if it is, or the limit is 0."""
        total = self.sum(key)
        if not limit or total < limit:
            return 0
        return max(1, math.ceil(self._seconds * math.log(total / limit)))
