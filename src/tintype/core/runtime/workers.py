"""Threads for what would hold up the event loop: pixels on a few, disks on some more."""

import asyncio
import functools
import time
from collections.abc import Callable, Coroutine, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Generic, ParamSpec, TypeVar

import structlog
from msgspec import Meta, Struct

from tintype.core.runtime.counters import Counters
from tintype.core.runtime.fair_queue import BUDGET, FairQueue, WorkEstimate
from tintype.core.runtime.moving_sum import MovingSum
from tintype.imaging import Reason
from tintype.model import Error, Kind

P = ParamSpec("P")
R = TypeVar("R")

MINUTE = 60.0

log = structlog.get_logger("tintype")


class WorkerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How much is done at once in one process."""

    render_queue: Annotated[int, Meta(ge=0)] = 64
    """Pictures that may wait for a slot; beyond it whoever has the most of them is told "busy"."""
    render_wait_seconds: Annotated[float, Meta(gt=0)] = 20.0
    """How long a picture waits for a slot before the answer is "busy", and for another process that makes the
    same one before it is made here too."""
    disk_threads: Annotated[int, Meta(ge=1)] = 8
    """Threads that read and write files."""
    catalogue_readers: Annotated[int, Meta(ge=1)] = 4
    """Transactions that read the catalogue at the same time; beside them one writes."""
    catalogue_wait_seconds: Annotated[float, Meta(gt=0)] = 4.0
    """How long a change waits for its turn to write the catalogue, which another program may hold locked,
    before the answer is "busy"."""
    malloc_arenas: Annotated[int, Meta(ge=0)] = 2
    """Arenas of memory that the threads of a worker process share, where the C library is glibc: fewer hold
    less of what was freed. A renderer has one. 0 leaves the allocators as they are."""


class Workers:
    """Two pools of threads; that for pixels has a bounded queue with a deadline, shared fairly.

    Who is cancelled while it waits for a slot frees its place; who is cancelled later waits for its thread.

    Args:
        settings: how much is done at once.
        slots: pieces of work on pixels at the same time.
        memory: bytes that all work on pixels may take together, by its estimates.
    """

    def __init__(self, settings: WorkerSettings, slots: int = 1, memory: int = BUDGET) -> None:
        self._pixel_threads = ThreadPoolExecutor(slots, "pixels")
        self._disk_threads = ThreadPoolExecutor(settings.disk_threads, "disk")
        self._queue: FairQueue[_Turn] = FairQueue(slots, settings.render_queue, memory)
        self._used = MovingSum(MINUTE)
        self.counters = Counters()
        self.queue_timeout = settings.render_wait_seconds
        self._shared: dict[Hashable, _Shared[Any]] = {}
        self._background: dict[Hashable, asyncio.Task[object]] = {}
        self._holding: set[asyncio.Task[Any] | None] = set()
        self._waits: dict[asyncio.Task[Any] | None, _Wait] = {}
        self._joined: dict[asyncio.Task[Any] | None, dict[Hashable, WorkEstimate]] = {}

    async def disk(self, work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run file work on a thread. It always runs to its end: who is cancelled meanwhile waits for that.

        Otherwise a transaction could end, or a file be closed, while a thread still works on it.
        """
        return await _run_uncancellable(self._disk_threads, functools.partial(work, *args, **kwargs))

    async def pixels(
        self, estimate: WorkEstimate, work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run image work on a thread once it is its payer's turn. It then runs to its end, as `disk` does.

        Raises:
            Error: OVERLOADED when the queue is full, or the deadline passes before there is a slot;
                INVALID_IMAGE when the work takes more memory than there is for all.
        """
        turn = await self._take_slot(estimate)
        began, task = time.perf_counter(), asyncio.current_task()
        self._holding.add(task)
        try:
            return await _run_uncancellable(self._pixel_threads, functools.partial(work, *args, **kwargs))
        finally:
            self._holding.discard(task)
            seconds = time.perf_counter() - began
            self.counters.pixel_seconds += seconds
            self._give_back(turn, seconds)

    async def singleflight(
        self, key: Hashable, work: Callable[[], Coroutine[Any, Any, R]], estimate: WorkEstimate | None = None
    ) -> R:
        """Run work, or share the answer of the same work (by key) that is under way already.

        One client that goes away takes nothing from the others. When all are gone, the work is dropped if
        it still waits for its slot, and else runs to its end, for whoever asks next.

        Who shares work that still waits for its slot, and has a payer of his own (that of the estimate),
        waits no longer than if he had been the only one to ask.
        """
        shared = self._shared.get(key)
        if shared is None:
            shared = self._shared[key] = _Shared(asyncio.create_task(work()))
            self._joined[shared.task] = shared.joined
            shared.task.add_done_callback(lambda _done: self._end_shared(key, shared))
        else:
            self.counters.shared += 1
            self._join(shared, estimate)
        shared.clients += 1
        try:
            return await asyncio.shield(shared.task)
        finally:
            shared.clients -= 1
            if not shared.clients and shared.task not in self._holding:
                self._forget(key, shared)
                self.counters.dropped += shared.task.cancel()

    def require_seconds(self, payer: Hashable, limit: float) -> None:
        """Raise TOO_MANY_REQUESTS for a payer that used its seconds of slots of a minute; 0 is no limit."""
        wait = self._used.wait(payer, limit)
        if wait:
            sentence = f"At most {limit:g} seconds of work on pictures are done in a minute."
            raise Error(Kind.TOO_MANY_REQUESTS, sentence, retry_after=wait)

    @property
    def max_memory(self) -> int:
        """Bytes that a piece of work on pixels can have, when nothing else runs."""
        return self._queue.max_memory

    def waiting(self) -> int:
        """How many wait for a slot."""
        return len(self._queue)

    def spawn_background(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Do work that nobody waits for, unless the same (by key) is under way. Its errors go to the log."""
        if key in self._background:
            return
        task = self._background[key] = asyncio.create_task(work())
        task.add_done_callback(lambda done: self._end_background(key, done))

    def has_waiters(self) -> bool:
        """Whether somebody waits for a slot."""
        return len(self._queue) > 0

    def is_under_way(self, key: Hashable) -> bool:
        """Whether work that `once` shares is under way."""
        return key in self._shared

    async def close(self) -> None:
        """Drop what nobody waits for, let what runs finish, and end the threads."""
        aside = [task for task in self._background.values() if task.cancel()]
        if aside:
            await asyncio.wait(aside)
        self._pixel_threads.shutdown()
        self._disk_threads.shutdown()

    def _end_shared(self, key: Hashable, shared: "_Shared[Any]") -> None:
        self._forget(key, shared)
        del self._joined[shared.task]
        if not shared.clients:
            _log_unexpected(key, shared.task)

    def _end_background(self, key: Hashable, done: asyncio.Task[object]) -> None:
        del self._background[key]
        _log_unexpected(key, done)

    async def _take_slot(self, estimate: WorkEstimate) -> "_Turn":
        if not self._queue.can_ever_run(estimate):
            sentence = "Working on this picture takes more memory than there is for it."
            raise Error(Kind.INVALID_IMAGE, sentence, field=Reason.TOO_COSTLY.value)
        turn: _Turn = asyncio.get_running_loop().create_future()
        for each in (estimate, *self._joined.get(asyncio.current_task(), {}).values()):
            if not turn.done():
                self._push(turn, each)
        try:
            has_slot = await self._wait_for(turn)
        except TimeoutError:
            has_slot = False
        if not has_slot:
            self.counters.refused += 1
            raise Error(
                Kind.OVERLOADED,
                "The service is busy with other pictures; try again in a moment.",
                retry_after=1,
            )
        return turn

    async def _wait_for(self, turn: "_Turn") -> bool:
        task = asyncio.current_task()
        try:
            async with asyncio.timeout(self.queue_timeout) as deadline:
                self._waits[task] = _Wait(turn, deadline)
                return await turn
        except (asyncio.CancelledError, TimeoutError):
            if not turn.cancelled() and turn.result():
                # The slot and the end of the wait came at once.
                self._give_back(turn, 0.0)
            self._queue.remove(turn)
            raise
        finally:
            del self._waits[task]

    def _join(self, shared: "_Shared[Any]", estimate: WorkEstimate | None) -> None:
        """Let shared work wait in another payer's line too, and as long as if it were new."""
        if estimate is None:
            return
        # For when it comes to wait, or waits again: it may not have begun yet.
        shared.joined[estimate.payer] = estimate
        wait = self._waits.get(shared.task)
        if wait is not None and not wait.turn.done():
            self._push(wait.turn, estimate)
            wait.deadline.reschedule(asyncio.get_running_loop().time() + self.queue_timeout)

    def _push(self, turn: "_Turn", estimate: WorkEstimate) -> None:
        shed = self._queue.push(turn, estimate)
        if shed is not None and not shed.done():
            shed.set_result(False)
        self._call_next()

    def _give_back(self, turn: "_Turn", seconds: float) -> None:
        self._used.add(self._queue.finish(turn, seconds), seconds)
        self._call_next()

    def _call_next(self) -> None:
        while (turn := self._queue.pop()) is not None:
            if turn.cancelled():
                self._queue.finish(turn, 0.0)
            else:
                turn.set_result(True)

    def _forget(self, key: Hashable, shared: "_Shared[Any]") -> None:
        if self._shared.get(key) is shared:
            del self._shared[key]


_Turn = asyncio.Future[bool]
"""Who waits for a slot: True when it is given one, False when it is crowded out."""


class _Wait(Struct, frozen=True):
    """Work that waits for its slot, and until when."""

    turn: _Turn
    deadline: asyncio.Timeout


class _Shared(Generic[R]):
    """Work under way, how many wait for its answer, and whose turn it may be besides."""

    def __init__(self, task: asyncio.Task[R]) -> None:
        self.task = task
        self.clients = 0
        self.joined: dict[Hashable, WorkEstimate] = {}


def _log_unexpected(key: Hashable, done: asyncio.Task[Any]) -> None:
    """Tell the log what nobody else will hear of; an error that was foreseen is none of its business."""
    raised = None if done.cancelled() else done.exception()
    if raised is not None and not isinstance(raised, Error):
        log.error("unexpected-error", work=str(key), exc_info=raised)


async def _run_uncancellable(threads: ThreadPoolExecutor, work: Callable[[], R]) -> R:
    future = asyncio.get_running_loop().run_in_executor(threads, work)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await asyncio.wait([future])
        raise
