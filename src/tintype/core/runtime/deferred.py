"""Slow encodes: the client gets another format at once, and the slow one is encoded in the background."""

import threading
from collections.abc import Callable, Coroutine, Hashable
from typing import Any

import structlog

from tintype.core.runtime.settings import DeferredSettings
from tintype.core.runtime.workers import Workers
from tintype.imaging import Format
from tintype.model import Error

INITIAL_SECONDS_PER_PIXEL = 0.3e-6
"""Seconds per pixel until one was measured: an AVIF at libvips' effort 1 on a slow core."""
MIN_SAMPLE_PIXELS = 200_000
"""Pixels of the smallest picture that is measured: below it, decoding the source takes most of the time."""
EWMA_WEIGHT = 0.2
"""Weight of the newest sample in the moving average."""

log = structlog.get_logger("tintype")


class DeferredEncodes:
    """A bounded queue of encodes that run one at a time in the background. One per process."""

    def __init__(self, settings: DeferredSettings, workers: Workers) -> None:
        self._settings = settings
        self._workers = workers
        self._jobs: dict[Hashable, Callable[[], Coroutine[Any, Any, object]]] = {}
        self._is_busy = False
        self._seconds_per_pixel: dict[Format, float] = {}
        self._average_lock = threading.Lock()

    def is_deferred(self, format: Format, pixels: int) -> bool:
        """Whether encoding so many pixels in this format takes longer than a client should wait."""
        seconds = pixels * self._seconds_per_pixel.get(format, INITIAL_SECONDS_PER_PIXEL)
        return pixels > self._settings.live_pixels or seconds > self._settings.live_seconds

    def record_duration(self, format: Format, pixels: int, seconds: float) -> None:
        """Update the average of a format with a picture of so many pixels that took so many seconds.

        Called by the threads that made it.
        """
        if pixels < MIN_SAMPLE_PIXELS:
            return
        with self._average_lock:
            present = self._seconds_per_pixel.get(format, INITIAL_SECONDS_PER_PIXEL)
            self._seconds_per_pixel[format] = present + EWMA_WEIGHT * (seconds / pixels - present)

    def add(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Queue work, unless the queue is full, clients wait for a slot, or the same (by key) is queued."""
        if key not in self._jobs:
            if len(self._jobs) >= self._settings.waiting or self._workers.has_waiters():
                self._workers.counters.deferred_dropped.inc()
                return
            self._jobs[key] = work
        if not self._is_busy:
            self._is_busy = True
            self._workers.spawn_background(object(), self._run)

    async def _run(self) -> None:
        try:
            while self._jobs:
                await self._next()
        finally:
            self._is_busy = False

    async def _next(self) -> None:
        if self._workers.has_waiters():
            self._workers.counters.deferred_dropped.inc(len(self._jobs))
            self._jobs.clear()
            return
        key, work = next(iter(self._jobs.items()))
        try:
            await self._run_one(work)
        finally:
            del self._jobs[key]

    async def _run_one(self, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        try:
            await work()
        except Error as failed:
            # The image was deleted, or there was no slot; the next request queues it again.
            self._workers.counters.deferred_dropped.inc()
            log.info("deferred-encode-failed", reason=failed.message)
        else:
            self._workers.counters.deferred_made.inc()
