"""Refusals for want of capacity, which leave one after the other: many clients ask again at once."""

import asyncio
import time
from collections.abc import Callable
from http import HTTPStatus

THROTTLED_STATUSES = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
MAX_WAIT = 3.0
"""Seconds that a refusal waits at the most."""
BURST = 20
"""Refusals that leave without a wait after a time without any."""


class RefusalThrottle:
    """A token bucket (ITU-T I.371, as a virtual schedule): so many refusals a second, the others wait.

    Hundreds of clients that ask again as soon as they are refused would otherwise take all the time there is,
    from those who are answered out of memory too.

    Args:
        rate: refusals a second; 0 is no limit.
        now: a clock that only goes forward, in seconds.
    """

    def __init__(self, rate: int, now: Callable[[], float] = time.monotonic) -> None:
        self._interval = 1 / rate if rate else 0.0
        self._now = now
        self._due = 0.0

    async def wait(self) -> None:
        """Wait for the turn of another refusal."""
        delay = self.take()
        if delay > 0:
            await asyncio.sleep(delay)

    def take(self) -> float:
        """Count another refusal; the seconds until its turn."""
        now = self._now()
        self._due = max(self._due, now - BURST * self._interval) + self._interval
        self._due = min(self._due, now + MAX_WAIT)
        return max(0.0, self._due - now)
