"""A pool of renderers: processes that decode untrusted bytes, and are replaced when they end.

A renderer gets an order and the descriptor of a source, and sends an answer. The pool is called from threads
of the service: there are as many renderers as such threads.
"""

import signal
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

from msgspec import Struct, structs

from tintype.imaging.errors import ImageRefused, damaged, too_much_memory, too_much_time
from tintype.imaging.formats import Format
from tintype.imaging.image_info import Limits, check_limits
from tintype.imaging.recipe import Recipe
from tintype.imaging.recipe.geometry import OutputLimits
from tintype.imaging.sandbox.messages import (
    Answer,
    Examine,
    Examined,
    Failed,
    Needs,
    Order,
    Refusal,
    Render,
    Rendered,
    Strip,
)
from tintype.imaging.sandbox.process import EndedError, OnStart, Renderer

OWN_MEMORY = 96 * 1024**2
"""Maximum memory of a renderer besides images, in bytes: interpreter, libraries, fonts, slack."""
MAX_IN_MEMORY = 1024**2
"""Renditions of up to this many bytes are kept in memory; larger ones are written to a file."""
OUT_OF_MEMORY_SIGNALS = frozenset({-signal.SIGABRT, -signal.SIGTRAP})
"""Exit statuses of a process that ran out of its memory: a library aborts."""

MAX_START_ATTEMPTS, START_TIMEOUT = 3, 30.0
"""Attempts to start a renderer before giving up, and seconds for all of them, on a busy machine."""

T = TypeVar("T")


class Sink(Protocol):
    """A file for a rendition that is too large for memory."""

    def write(self, data: bytes, /) -> object:
        """Write all of the bytes."""

    def close(self) -> None:
        """Discard the file: the rendition is incomplete."""


S = TypeVar("S", bound=Sink)


class Allowance(Struct, frozen=True):
    """What an image may take: bytes of memory, and the time limit less the seconds of earlier attempts."""

    memory: int
    seconds_used: float = 0.0

    def after(self, seconds: float) -> "Allowance":
        """What is left after so many seconds."""
        return structs.replace(self, seconds_used=self.seconds_used + seconds)


class NeedsMemory(Exception):
    """The work needs `memory` bytes, and was not done: retry with this limit.

    `seconds_used` are those of this attempt, and of the earlier ones.
    """

    def __init__(self, memory: int, seconds_used: float = 0.0) -> None:
        super().__init__(memory)
        self.memory = memory
        self.seconds_used = seconds_used


class RendererError(Exception):
    """An unexpected error in a renderer; the message has its traceback."""


class UnavailableError(RendererError):
    """No renderer can do this now, whatever the image is."""


class KilledError(UnavailableError):
    """A renderer was killed by another process, or by the kernel because the machine is out of memory."""


class StartError(UnavailableError):
    """A renderer can't be started."""


class RenderResult(Struct, Generic[S], frozen=True, kw_only=True):
    """A rendition: its bytes are in `data`, or in `file`, which the caller must close."""

    made: Rendered
    data: bytes | None = None
    file: S | None = None


class RendererExit(Struct, frozen=True):
    """A renderer that ended: why, its exit status, and the memory limit of its order in bytes."""

    why: str
    status: int
    memory: int


class RendererPool:
    """A pool of renderers. Its methods block; call them from at most `count` threads at once.

    A renderer is started when it is first needed, or by `start`.

    Args:
        count: number of renderers.
        max_memory: the highest memory limit for an image, in bytes.
        seconds: time limit for an image.
        arenas: malloc arenas of each renderer, see `limit_arenas`.
        on_start: called for each renderer that is ready, with its confinement and its standard error.
        on_end: called for each renderer that ended unexpectedly.
    """

    def __init__(
        self,
        count: int,
        max_memory: int,
        seconds: float,
        *,
        arenas: int = 1,
        on_start: OnStart = lambda *_: None,
        on_end: Callable[[RendererExit], None] = lambda _: None,
    ) -> None:
        self._max_memory = max_memory
        self._seconds = seconds
        self._arenas = arenas
        self._on_start = on_start
        self._on_end = on_end
        # One permanent thread starts all renderers: PR_SET_PDEATHSIG refers to the thread that started them.
        self._starter = ThreadPoolExecutor(1, "renderers")
        self._slots = [_Slot() for _ in range(count)]
        # A stack: the most recently used are at the end, those that must be started first at the beginning.
        self._idle = deque(self._slots)

    def start(self) -> None:
        """Start all renderers in the background."""
        starting = [self._start_renderer(slot) for slot in self._slots]
        for slot, started in zip(self._slots, starting, strict=True):
            self._starter.submit(self._wait_for_start, slot, started, time.monotonic() + START_TIMEOUT)

    def examine(self, source: int, limits: Limits | None, allowance: Allowance) -> Examined:
        """Inspect an open file, and verify that it can be decoded completely.

        Args:
            source: its descriptor; the file position doesn't matter.
            limits: on originals; None: no limits.
            allowance: the memory limit, and the time used.

        Raises:
            NeedsMemory: when it needs a higher memory limit.
            RendererError: when there is an unexpected error.
        """
        try:
            return self._run(
                Examine(limits),
                allowance,
                source,
                lambda renderer, answer: _check_examined(renderer, answer, limits),
            )
        except ImageRefused as refused:
            return Examined(refused=Refusal(refused.reason, refused.sentence))

    def render(
        self,
        source: int,
        recipe: Recipe,
        limits: OutputLimits,
        source_limits: Limits,
        allowance: Allowance,
        spool: Callable[[], S],
    ) -> RenderResult[S]:
        """Render an open file.

        Args:
            source: its descriptor; the file position doesn't matter.
            recipe: how to render it.
            limits: on the rendition.
            source_limits: on the source.
            allowance: the memory limit, and the time used.
            spool: opens a file for a rendition that is too large for memory.

        Raises:
            ImageRefused: when the image can't be rendered.
            NeedsMemory: when it needs a higher memory limit.
            RendererError: when there is an unexpected error.
            OSError: when the file of `spool` can't be written.
        """
        return self._run(
            Render(recipe, limits, source_limits),
            allowance,
            source,
            lambda renderer, answer: _read_rendition(
                renderer, answer, recipe.format, allowance.memory, spool
            ),
        )

    def strip(
        self, source: int, format: Format, allowance: Allowance, spool: Callable[[], S]
    ) -> RenderResult[S]:
        """Strip the metadata of an open file of this format; otherwise as `render`."""
        return self._run(
            Strip(format),
            allowance,
            source,
            lambda renderer, answer: _read_rendition(renderer, answer, format, allowance.memory, spool),
        )

    def close(self) -> None:
        """End all renderers. No other method may be running."""
        self._starter.shutdown()
        for slot in self._slots:
            if slot.renderer is not None and slot.renderer.exception() is None:
                slot.renderer.result().end()
                slot.renderer = None

    def _run(
        self,
        work: Examine | Render | Strip,
        allowance: Allowance,
        source: int,
        finish: Callable[[Renderer, Answer], T],
    ) -> T:
        order = self._order(work, allowance.memory)
        seconds = self._seconds - allowance.seconds_used
        if seconds <= 0:
            raise too_much_time(self._seconds)
        slot = self._idle.pop()
        give_back = self._idle.appendleft
        try:
            renderer = self._ready_renderer(slot)
            began = time.monotonic()
            try:
                return self._send(renderer, order, source, seconds, finish)
            except NeedsMemory as more:
                more.seconds_used = allowance.seconds_used + time.monotonic() - began
                raise
            finally:
                if renderer.is_reusable():
                    give_back = self._idle.append
                else:
                    self._replace(slot, renderer)
        finally:
            give_back(slot)

    def _send(
        self,
        renderer: Renderer,
        order: Order,
        source: int,
        seconds: float,
        finish: Callable[[Renderer, Answer], T],
    ) -> T:
        try:
            return finish(renderer, self._checked_answer(renderer.send(order, source, seconds), order))
        except EndedError as ended:
            self._on_end(RendererExit(ended.why, ended.status, order.memory))
            raise self._error_for_exit(ended, order) from None

    def _order(self, work: Examine | Render | Strip, memory: int) -> Order:
        return Order(work, memory, is_max_memory=memory >= self._max_memory)

    def _checked_answer(self, answer: Answer, order: Order) -> Answer:
        """Return a successful answer; raise the others as exceptions."""
        match answer:
            case Refusal():
                raise ImageRefused(answer.reason, answer.sentence)
            case Failed():
                raise RendererError(answer.traceback)
            case Needs():
                raise self._needs_more(answer.memory, order)
        return answer

    def _error_for_exit(self, ended: EndedError, order: Order) -> Exception:
        """The error for an image whose renderer ended."""
        if ended.why == "late":
            return too_much_time(self._seconds)
        if ended.why == "confused":
            return damaged()
        if not order.is_max_memory:
            # Out of memory, libraries abort, or crash on a null pointer.
            return NeedsMemory(self._max_memory)
        if ended.status == -signal.SIGKILL:
            return KilledError("A renderer was killed.")
        return too_much_memory(order.memory) if ended.status in OUT_OF_MEMORY_SIGNALS else damaged()

    def _needs_more(self, needed: int | None, order: Order) -> Exception:
        memory = self._max_memory if needed is None else needed
        if order.memory < memory <= self._max_memory:
            return NeedsMemory(memory)
        return too_much_memory(self._max_memory, needed)

    def _ready_renderer(self, slot: "_Slot") -> Renderer:
        deadline = time.monotonic() + START_TIMEOUT
        for tries_left in reversed(range(MAX_START_ATTEMPTS)):
            try:
                renderer = self._wait_for_start(slot, slot.renderer or self._start_renderer(slot), deadline)
            except StartError:
                if not tries_left or time.monotonic() >= deadline:
                    raise
            else:
                if renderer.is_reusable():
                    return renderer
                # It ended while it was idle.
                self._replace(slot, renderer)
        raise StartError("Renderers end as soon as they are started.")

    def _wait_for_start(self, slot: "_Slot", starting: Future[Renderer], deadline: float) -> Renderer:
        try:
            renderer = starting.result()
            renderer.wait_until_ready(self._on_start, deadline)
        except (EndedError, OSError) as failed:
            slot.renderer = None
            raise StartError(f"A renderer can't be started: {failed}.") from failed
        return renderer

    def _replace(self, slot: "_Slot", renderer: Renderer) -> Future[Renderer]:
        renderer.end()
        return self._start_renderer(slot)

    def _start_renderer(self, slot: "_Slot") -> Future[Renderer]:
        slot.renderer = self._starter.submit(Renderer, self._max_memory, self._arenas)
        return slot.renderer


class _Slot:
    """A slot of the pool: its renderer is running, starting, or not started (None)."""

    def __init__(self) -> None:
        self.renderer: Future[Renderer] | None = None


def _read_rendition(
    renderer: Renderer, answer: Answer, format: Format | None, max_memory: int, spool: Callable[[], S]
) -> RenderResult[S]:
    made = _expected(answer, Rendered)
    if made.size > max_memory or made.format is not (format or made.format):
        raise renderer.fail("confused")
    if made.size <= MAX_IN_MEMORY:
        return RenderResult(made=made, data=renderer.read(made.size))
    file = spool()
    try:
        renderer.stream(made.size, file.write)
    except BaseException:
        file.close()
        raise
    return RenderResult(made=made, file=file)


def _check_examined(renderer: Renderer, answer: Answer, limits: Limits | None) -> Examined:
    found = _expected(answer, Examined)
    if found.refused is None and not _is_plausible(found, limits):
        raise renderer.fail("confused")
    return found


def _is_plausible(found: Examined, limits: Limits | None) -> bool:
    """Whether the answer of a possibly compromised renderer is valid: it will be stored in the catalogue."""
    info = found.info
    if info is None or info.placeholder is None or info.format is not found.format:
        return False
    with suppress(ImageRefused):
        if limits is not None:
            check_limits(info, limits)
        return True
    return False


def _expected(answer: Answer, kind: type[T]) -> T:
    if not isinstance(answer, kind):
        raise RendererError(f"A renderer answered {answer!r:.200}.")
    return answer
