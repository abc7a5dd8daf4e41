"""Thread pools for what would block the event loop: work on pixels, and file access."""

import asyncio
import functools
import time
from collections.abc import Callable, Coroutine, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, ParamSpec, TypeVar

import structlog

from tintype.core.runtime.counters import Counters
from tintype.core.runtime.fair_queue import BUDGET, FairQueue, WorkEstimate
from tintype.core.runtime.moving_sum import MovingSum
from tintype.core.runtime.settings import WorkerSettings
from tintype.core.runtime.uncancellable import uncancellable
from tintype.imaging.errors import too_much_memory
from tintype.model import Error, InvalidImage, Overloaded, TooManyRequests

P = ParamSpec("P")
R = TypeVar("R")

MINUTE = 60.0

log = structlog.get_logger("tintype")


class Workers:
    """Two thread pools; the one for pixels has a bounded fair queue with a deadline.

    A task cancelled while it waits for a slot leaves the queue; one cancelled later waits for its thread.

    Args:
        settings: how much is done at once.
        slots: how much work on pixels runs at the same time.
        memory: bytes that all work on pixels may take together, by its estimates.
    """

    def __init__(self, settings: WorkerSettings, slots: int = 1, memory: int = BUDGET) -> None:
        self._pixel_threads = ThreadPoolExecutor(slots, "pixels")
        self._disk_threads = ThreadPoolExecutor(settings.disk_threads, "disk")
        self._queue: FairQueue[_Turn] = FairQueue(slots, settings.render_queue, memory)
        self._used = MovingSum(MINUTE)
        self.counters = Counters()
        self._queue_timeout = settings.render_wait_seconds
        self._shared: dict[Hashable, _Shared[Any]] = {}
        self._background: dict[Hashable, asyncio.Task[object]] = {}
        self._running: set[asyncio.Task[Any] | None] = set()
        self._shared_by_task: dict[asyncio.Task[Any] | None, _Shared[Any]] = {}

    async def disk(self, work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run file work on a thread, always to its end: a task cancelled meanwhile waits for that.

        Otherwise a transaction could end, or a file be closed, while a thread still uses it.
        """
        return await _run_uncancellable(self._disk_threads, functools.partial(work, *args, **kwargs))

    async def pixels(
        self, estimate: WorkEstimate, work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run work on pixels on a thread when it gets a slot. It then runs to its end, as in `disk`.

        Raises:
            Overloaded: when the queue is full, or no slot is free before the deadline of the estimate.
            InvalidImage: when the work needs more memory than the whole budget.
        """
        turn = await self._take_slot(estimate)
        began, task = time.perf_counter(), asyncio.current_task()
        self._running.add(task)
        try:
            return await _run_uncancellable(self._pixel_threads, functools.partial(work, *args, **kwargs))
        finally:
            self._running.discard(task)
            seconds = time.perf_counter() - began
            self.counters.pixel_seconds.inc(seconds)
            self._release_slot(turn, seconds)

    async def singleflight(
        self, key: Hashable, work: Callable[[], Coroutine[Any, Any, R]], estimate: WorkEstimate | None = None
    ) -> R:
        """Run work, or share the result of the same work (by key) that is under way.

        A client that disconnects doesn't affect the others. When all have disconnected, work that waits for a
        slot is cancelled; work that has one runs to its end, for the next request.

        Each client has its own deadline (that of `estimate`). A client with another payer that joins work
        waiting for a slot waits no longer than if it had been the only one.

        Raises:
            Overloaded: when the work waits for a slot at the client's deadline, or later.
        """
        shared = self._shared.get(key)
        if shared is None:
            shared = self._shared[key] = _Shared(asyncio.create_task(work()))
            self._shared_by_task[shared.task] = shared
            shared.task.add_done_callback(lambda _done: self._end_shared(key, shared))
        else:
            self.counters.shared.inc()
            self._join(shared, estimate)
        shared.clients += 1
        try:
            return await self._await_shared(shared, self.deadline(estimate))
        finally:
            shared.clients -= 1
            if not shared.clients and shared.task not in self._running:
                self._forget(key, shared)
                self.counters.dropped.inc(shared.task.cancel())

    def deadline(self, estimate: WorkEstimate | None = None) -> float:
        """Until when work may wait for a slot, in terms of `time.monotonic`."""
        if estimate is not None and estimate.deadline is not None:
            return estimate.deadline
        return time.monotonic() + self._queue_timeout

    def require_seconds(self, payer: Hashable, limit: float) -> None:
        """Require that a payer used fewer than `limit` seconds of slots in a minute; 0: no limit.

        Raises:
            TooManyRequests: when it used more.
        """
        wait = self._used.wait(payer, limit)
        if wait:
            sentence = f"At most {limit:g} seconds of work on pictures are done in a minute."
            raise TooManyRequests(sentence, retry_after=wait)

    @property
    def max_memory(self) -> int:
        """Bytes of memory that work on pixels can have when no other runs."""
        return self._queue.max_memory

    def spawn_background(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Run work in the background, unless the same (by key) is running. Its errors are logged."""
        if key in self._background:
            return
        task = self._background[key] = asyncio.create_task(work())
        task.add_done_callback(lambda done: self._end_background(key, done))

    def has_waiters(self) -> bool:
        """Whether any job waits for a slot."""
        return len(self._queue) > 0

    def is_under_way(self, key: Hashable) -> bool:
        """Whether `singleflight` runs work of this key."""
        return key in self._shared

    async def close(self) -> None:
        """Cancel background work, let running threads finish, and shut the pools down."""
        cancelled = [task for task in self._background.values() if task.cancel()]
        if cancelled:
            await asyncio.wait(cancelled)
        self._pixel_threads.shutdown()
        self._disk_threads.shutdown()

    def _end_shared(self, key: Hashable, shared: "_Shared[Any]") -> None:
        self._forget(key, shared)
        del self._shared_by_task[shared.task]
        if not shared.clients:
            _log_unexpected(key, shared.task)

    def _end_background(self, key: Hashable, done: asyncio.Task[object]) -> None:
        del self._background[key]
        _log_unexpected(key, done)

    async def _take_slot(self, estimate: WorkEstimate) -> "_Turn":
        if not self._queue.can_ever_run(estimate):
            refused = too_much_memory(self.max_memory, estimate.memory)
            raise InvalidImage(refused.reason, refused.sentence)
        turn: _Turn = asyncio.get_running_loop().create_future()
        shared = self._shared_by_task.get(asyncio.current_task())
        for each in (estimate, *(shared.joined.values() if shared else ())):
            if not turn.done():
                self._push(turn, each)
        if not await self._wait_for(turn, shared, self.deadline(estimate)):
            raise self._busy()
        return turn

    async def _wait_for(self, turn: "_Turn", shared: "_Shared[Any] | None", deadline: float) -> bool:
        """Wait for a slot until the deadline, or as long as shared work has clients, which have their own."""
        if shared is not None:
            shared.begin_wait(turn)
        has_clients = shared is not None and shared.clients > 0
        try:
            async with asyncio.timeout(None if has_clients else max(0.0, deadline - time.monotonic())):
                return await turn
        except (asyncio.CancelledError, TimeoutError) as ended:
            if not turn.cancelled() and turn.result():
                # It got the slot at the moment when its wait ended.
                self._release_slot(turn, 0.0)
            self._queue.remove(turn)
            self._count_waiting()
            if isinstance(ended, TimeoutError):
                return False
            raise
        finally:
            if shared is not None:
                shared.end_wait()

    async def _await_shared(self, shared: "_Shared[R]", deadline: float) -> R:
        await asyncio.wait((shared.task,), timeout=max(0.0, deadline - time.monotonic()))
        if not shared.task.done():
            # Work that has a slot may need another one later, for which this client doesn't wait any more.
            waits = asyncio.create_task(shared.waits.wait())
            try:
                await asyncio.wait((shared.task, waits), return_when=asyncio.FIRST_COMPLETED)
            finally:
                waits.cancel()
        if not shared.task.done():
            raise self._busy()
        return shared.task.result()

    def _busy(self) -> Error:
        self.counters.refused.inc()
        sentence = "The service is busy with other pictures; try again in a moment."
        return Overloaded(sentence, retry_after=1)

    def _join(self, shared: "_Shared[Any]", estimate: WorkEstimate | None) -> None:
        """Let shared work also wait in another payer's flow."""
        if estimate is None:
            return
        # Kept for later: the work may not wait for its slot yet, or may wait again.
        shared.joined[estimate.payer] = estimate
        if shared.turn is not None and not shared.turn.done():
            self._push(shared.turn, estimate)

    def _push(self, turn: "_Turn", estimate: WorkEstimate) -> None:
        shed = self._queue.push(turn, estimate)
        if shed is not None and not shed.done():
            shed.set_result(False)
        self._start_next()

    def _release_slot(self, turn: "_Turn", seconds: float) -> None:
        self._used.add(self._queue.finish(turn, seconds), seconds)
        self._start_next()

    def _start_next(self) -> None:
        while (turn := self._queue.pop()) is not None:
            if turn.cancelled():
                self._queue.finish(turn, 0.0)
            else:
                turn.set_result(True)
        self._count_waiting()

    def _count_waiting(self) -> None:
        self.counters.waiting.set(len(self._queue))

    def _forget(self, key: Hashable, shared: "_Shared[Any]") -> None:
        if self._shared.get(key) is shared:
            del self._shared[key]


_Turn = asyncio.Future[bool]
"""A job that waits for a slot: True when it gets one, False when it is shed."""


class _Shared(Generic[R]):
    """Work under way, the number of its clients, and the estimates of other payers who joined.

    While it waits for a slot, `turn` is set, and the event `waits` unless it gets the slot at once.
    """

    def __init__(self, task: asyncio.Task[R]) -> None:
        self.task = task
        self.clients = 0
        self.joined: dict[Hashable, WorkEstimate] = {}
        self.turn: _Turn | None = None
        self.waits = asyncio.Event()

    def begin_wait(self, turn: _Turn) -> None:
        self.turn = turn
        if not turn.done():
            self.waits.set()

    def end_wait(self) -> None:
        self.turn = None
        self.waits.clear()


def _log_unexpected(key: Hashable, done: asyncio.Task[Any]) -> None:
    """Log the exception of a task that no client awaits, unless it is an `Error`."""
    raised = None if done.cancelled() else done.exception()
    if raised is not None and not isinstance(raised, Error):
        log.error("unexpected-error", work=str(key), exc_info=raised)


async def _run_uncancellable(threads: ThreadPoolExecutor, work: Callable[[], R]) -> R:
    return await uncancellable(asyncio.get_running_loop().run_in_executor(threads, work))
