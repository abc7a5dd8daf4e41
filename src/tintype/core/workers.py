"""Threads for what would hold up the event loop: pixels on a few, disks on some more."""

import asyncio
import functools
import os
from collections.abc import Callable, Coroutine, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, ParamSpec, TypeVar

from msgspec import Meta, Struct

from tintype.model import Error, Kind

P = ParamSpec("P")
R = TypeVar("R")


class WorkerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How much is done at once in one process."""

    render_slots: Annotated[int, Meta(ge=0)] = 0
    """Pictures decoded at the same time; 0 is one a core."""
    render_queue: Annotated[int, Meta(ge=0)] = 64
    """Pictures that may wait for a slot; beyond it the answer is "busy"."""
    render_wait_seconds: Annotated[float, Meta(gt=0)] = 20.0
    """How long a picture waits for a slot before the answer is "busy"."""
    disk_threads: Annotated[int, Meta(ge=1)] = 8
    """Threads that read and write files."""


class Workers:
    """Two pools of threads; the one for pixels has a bounded queue and a deadline."""

    def __init__(self, settings: WorkerSettings) -> None:
        slots = settings.render_slots or os.cpu_count() or 1
        self._pixel_threads = ThreadPoolExecutor(slots, "pixels")
        self._disk_threads = ThreadPoolExecutor(settings.disk_threads, "disk")
        self._slots = asyncio.Semaphore(slots)
        self._room = slots + settings.render_queue
        self._wait = settings.render_wait_seconds
        self._present = 0
        self._under_way: dict[Hashable, asyncio.Task[Any]] = {}

    async def disk(self, work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run file work on a thread. It always runs to its end: who is cancelled meanwhile waits for that.

        Otherwise a transaction could end, or a file be closed, while a thread still works on it.
        """
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._disk_threads, functools.partial(work, *args, **kwargs))
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])
            raise

    async def pixels(self, work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run image work on a thread once a slot is free.

        Raises:
            Error: BUSY when the queue is full or the deadline passes before a slot is free.
        """
        if self._present >= self._room:
            raise _busy()
        self._present += 1
        try:
            await self._take_slot()
            return await self._run(functools.partial(work, *args, **kwargs))
        finally:
            self._present -= 1

    async def once(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, R]]) -> R:
        """Run work, or share the answer of the same work (by key) that is under way already."""
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.create_task(work())
            self._under_way[key] = task
            task.add_done_callback(lambda _done: self._under_way.pop(key, None))
        # One client that goes away must not take the picture from the others who wait for it.
        return await asyncio.shield(task)

    def close(self) -> None:
        """Let what runs finish, and end the threads."""
        self._pixel_threads.shutdown()
        self._disk_threads.shutdown()

    async def _take_slot(self) -> None:
        try:
            await asyncio.wait_for(self._slots.acquire(), self._wait)
        except TimeoutError:
            raise _busy() from None

    async def _run(self, work: Callable[[], R]) -> R:
        future = asyncio.get_running_loop().run_in_executor(self._pixel_threads, work)
        # The slot is held until the thread is done: a client that went away does not stop the thread.
        future.add_done_callback(lambda _done: self._slots.release())
        return await asyncio.shield(future)


def _busy() -> Error:
    return Error(Kind.BUSY, "The service is busy with other pictures; try again in a moment.", retry_after=1)
