"""Throttles responses of status 429 and 503, as many clients retry at once."""

import asyncio
import time
from collections.abc import Callable
from http import HTTPStatus

THROTTLED_STATUSES = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
MAX_WAIT = 3.0
"""The longest delay of a refusal, in seconds."""
BURST = 20
"""Refusals that are sent without delay after a pause."""


class RefusalThrottle:
    """A token bucket (ITU-T I.371, as a virtual schedule): so many refusals per second, the others wait.

    Otherwise hundreds of clients that retry immediately would take all the CPU time, even from cache hits.

    Args:
        rate: refusals per second; 0: no limit.
        now: a clock that only goes forward, in seconds.
    """

    def __init__(self, rate: int, now: Callable[[], float] = time.monotonic) -> None:
        self._interval = 1 / rate if rate else 0.0
        self._now = now
        self._due = 0.0

    async def wait(self) -> None:
        """Wait until another refusal may be sent."""
        delay = self.take()
        if delay > 0:
            await asyncio.sleep(delay)

    def take(self) -> float:
        """Count another refusal; return the seconds until it may be sent."""
        now = self._now()
        self._due = max(self._due, now - BURST * self._interval) + self._interval
        self._due = min(self._due, now + MAX_WAIT)
        return max(0.0, self._due - now)
