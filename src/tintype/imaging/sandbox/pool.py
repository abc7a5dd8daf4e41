"""Renderers: processes that strangers' bytes are decoded in, kept at hand and replaced when they end.

A renderer is given a descriptor to read and an order; what comes of it is an answer, or a refusal. Who asks
is a thread of the service's: there are as many renderers as threads that ask.
"""

import signal
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from tintype.imaging.errors import ImageRefused, damaged, too_costly
from tintype.imaging.formats import Format
from tintype.imaging.image_info import Limits, check_limits
from tintype.imaging.recipe import Recipe
from tintype.imaging.recipe.geometry import OutputLimits
from tintype.imaging.sandbox.confinement import Confinement
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
from tintype.imaging.sandbox.process import EndedError, Renderer

OWN_MEMORY = 96 * 1024**2
"""Bytes that a renderer takes besides pictures, at the most: the interpreter, libraries, fonts, slack."""
MAX_IN_MEMORY = 1024**2
"""Bytes up to which a rendition is held in memory; a larger one goes to a file as it comes."""
OUT_OF_MEMORY_SIGNALS = frozenset({-signal.SIGABRT, -signal.SIGTRAP, -signal.SIGKILL})
"""How a process ends that got no memory: a library gives up, or the machine ends it."""

MAX_START_ATTEMPTS = 3
"""How often in a row a renderer is started that isn't there in the end, before it is given up."""

T = TypeVar("T")


class Sink(Protocol):
    """A file to write what is too large to be held."""

    def write(self, data: bytes, /) -> object:
        """Take all of the bytes."""

    def close(self) -> None:
        """Drop it: the rest doesn't come."""


S = TypeVar("S", bound=Sink)


class NeedsMemory(Exception):  # noqa: N818  it is an answer, not a fault
    """The work takes so many bytes, and was not done: ask again with as many."""

    def __init__(self, memory: int) -> None:
        super().__init__(memory)
        self.memory = memory


class RendererError(Exception):
    """An error that nobody foresaw, in a renderer; its traceback is in the text."""


class StartError(RendererError):
    """A renderer can't be started."""


class DrawnResult(Struct, Generic[S], frozen=True, kw_only=True):
    """A rendition: its bytes are held as `data`, or were written to `file`, which is the caller's."""

    made: Rendered
    data: bytes | None = None
    file: S | None = None


class RendererExit(Struct, frozen=True):
    """A renderer that was lost: why, its exit status, and the bytes of memory that its order was given."""

    why: str
    status: int
    memory: int


class RendererPool:
    """A pool of renderers. Its methods block, and are called from no more threads than there are renderers.

    A renderer is started when it is first needed, unless all were by `start`.

    Args:
        count: how many.
        most: bytes of memory that a picture is given, at the most.
        seconds: how long a picture may take.
        arenas: of the memory of each, as `keep_memory_flat` has them.
        on_start: told how each is confined.
        on_end: told of each that was lost.
    """

    def __init__(
        self,
        count: int,
        max_memory: int,
        seconds: float,
        *,
        arenas: int = 1,
        on_start: Callable[[Confinement], None] = lambda _: None,
        on_end: Callable[[RendererExit], None] = lambda _: None,
    ) -> None:
        self._max_memory = max_memory
        self._seconds = seconds
        self._arenas = arenas
        self._on_start = on_start
        self._on_end = on_end
        # One thread, which stays, starts all of them: a renderer ends with the thread that started it.
        self._starter = ThreadPoolExecutor(1, "renderers")
        self._slots = [_Slot() for _ in range(count)]
        # Taken from the end: those that worked last. At the beginning are those whose renderer has to start.
        self._idle = deque(self._slots)

    def start(self) -> None:
        """Begin to start all of them; nobody has to wait for that."""
        starting = [self._start_renderer(slot) for slot in self._slots]
        for slot, started in zip(self._slots, starting, strict=True):
            self._starter.submit(self._wait_for_start, slot, started)

    def examine(self, source: int, limits: Limits | None, memory: int) -> Examined:
        """What an open file is, and whether it can be decoded from its beginning to its end.

        Args:
            source: a descriptor; where in the file it stands makes no difference.
            limits: what is accepted; None: all.
            memory: bytes that this may take.

        Raises:
            NeedsMemory, RendererError.
        """
        try:
            return self._run(
                self._order(Examine(limits), memory),
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
        memory: int,
        spool: Callable[[], S],
    ) -> DrawnResult[S]:
        """A rendition of an open file.

        Args:
            source: a descriptor; where in the file it stands makes no difference.
            recipe: how.
            limits: of the rendition.
            source_limits: of the source.
            memory: bytes that this may take.
            spool: called for a file, when the rendition is too large to be held.

        Raises:
            ImageRefused, NeedsMemory, RendererError; OSError, as what the spool gives.
        """
        order = self._order(Render(recipe, limits, source_limits), memory)
        return self._run(
            order,
            source,
            lambda renderer, answer: _read_rendition(renderer, answer, recipe.format, memory, spool),
        )

    def strip(self, source: int, format: Format, memory: int, spool: Callable[[], S]) -> DrawnResult[S]:
        """An open file of the format without its metadata; otherwise as `render`."""
        order = self._order(Strip(format), memory)
        return self._run(
            order, source, lambda renderer, answer: _read_rendition(renderer, answer, format, memory, spool)
        )

    def close(self) -> None:
        """End all of them. Nobody may be asking any more."""
        self._starter.shutdown()
        for slot in self._slots:
            if slot.renderer is not None and slot.renderer.exception() is None:
                slot.renderer.result().end()
                slot.renderer = None

    def _run(self, order: Order, source: int, finish: Callable[[Renderer, Answer], T]) -> T:
        slot = self._idle.pop()
        give_back = self._idle.appendleft
        try:
            renderer = self._ready_renderer(slot)
            try:
                return finish(
                    renderer, self._checked_answer(renderer.send(order, source, self._seconds), order)
                )
            except EndedError as ended:
                self._on_end(RendererExit(ended.why, ended.status, order.memory))
                raise self._error_for_exit(ended, order) from None
            finally:
                if renderer.is_reusable():
                    give_back = self._idle.append
                else:
                    self._replace(slot, renderer)
        finally:
            give_back(slot)

    def _order(self, work: Examine | Render | Strip, memory: int) -> Order:
        return Order(work, memory, is_max_memory=memory >= self._max_memory)

    def _checked_answer(self, answer: Answer, order: Order) -> Answer:
        """The answer, when it is one; else what stands in its way is raised."""
        match answer:
            case Refusal():
                raise ImageRefused(answer.reason, answer.sentence)
            case Failed():
                raise RendererError(answer.traceback)
            case Needs():
                raise self._needs_more(self._max_memory if answer.memory is None else answer.memory, order)
        return answer

    def _error_for_exit(self, ended: EndedError, order: Order) -> Exception:
        """What it says of the picture that its renderer was lost."""
        if ended.why == "late":
            return too_costly()
        if ended.why == "confused":
            return damaged()
        if not order.is_max_memory:
            # Libraries end the process, or go on with what they didn't get, when there is no memory.
            return NeedsMemory(self._max_memory)
        return too_costly() if ended.status in OUT_OF_MEMORY_SIGNALS else damaged()

    def _needs_more(self, memory: int, order: Order) -> Exception:
        return NeedsMemory(memory) if order.memory < memory <= self._max_memory else too_costly()

    def _ready_renderer(self, slot: "_Slot") -> Renderer:
        for tries_left in reversed(range(MAX_START_ATTEMPTS)):
            try:
                renderer = self._wait_for_start(slot, slot.renderer or self._start_renderer(slot))
            except StartError:
                if not tries_left:
                    raise
            else:
                if renderer.is_reusable():
                    return renderer
                # It ended while it had nothing to do.
                self._replace(slot, renderer)
        raise StartError("Renderers end as soon as they are started.")

    def _wait_for_start(self, slot: "_Slot", starting: Future[Renderer]) -> Renderer:
        try:
            renderer = starting.result()
            renderer.wait_until_ready(self._on_start)
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
    """A place for a renderer, which is there, or about to be."""

    def __init__(self) -> None:
        self.renderer: Future[Renderer] | None = None


def _read_rendition(
    renderer: Renderer, answer: Answer, format: Format | None, max_memory: int, spool: Callable[[], S]
) -> DrawnResult[S]:
    made = _expected(answer, Rendered)
    if made.size > max_memory or made.format is not (format or made.format):
        raise renderer.fail("confused")
    if made.size <= MAX_IN_MEMORY:
        return DrawnResult(made=made, data=renderer.read(made.size))
    file = spool()
    try:
        renderer.stream(made.size, file.write)
    except BaseException:
        file.close()
        raise
    return DrawnResult(made=made, file=file)


def _check_examined(renderer: Renderer, answer: Answer, limits: Limits | None) -> Examined:
    found = _expected(answer, Examined)
    if found.refused is None and not _is_plausible(found, limits):
        raise renderer.fail("confused")
    return found


def _is_plausible(found: Examined, limits: Limits | None) -> bool:
    """Whether it is what an original that is taken in can be: what is said here is recorded."""
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
