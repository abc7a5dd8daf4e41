"""The renderer processes of this worker: their number, their memory, and retries with more memory."""

import os
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

import structlog
from msgspec import Struct, structs

from tintype.core.runtime.fair_queue import LIGHT, WorkEstimate
from tintype.core.runtime.settings import RendererSettings
from tintype.core.runtime.workers import Workers
from tintype.imaging.sandbox.confinement import Confinement
from tintype.imaging.sandbox.pool import (
    OWN_MEMORY,
    Allowance,
    NeedsMemory,
    RendererExit,
    RendererPool,
    StartError,
    UnavailableError,
)
from tintype.model import Overloaded

P = ParamSpec("P")
R = TypeVar("R")

MAX_OUTPUTS = 10
"""Maximum number of different standard errors of starting renderers that are logged."""

log = structlog.get_logger("tintype")


class RendererShare(Struct, frozen=True):
    """The share of one worker process: the number of renderers, and bytes for the pictures in all of them."""

    count: int
    memory: int


def renderer_share(settings: RendererSettings, processes: int) -> RendererShare:
    """The share of each worker process: at least one renderer with memory for a light picture.

    If their number is not set, at least half of the memory is left for a single image.
    """
    memory = max(settings.memory_bytes // processes, OWN_MEMORY + LIGHT)
    wanted = settings.count or min(_cores(), processes * ((memory // 2 - LIGHT) // OWN_MEMORY))
    count = max(1, min(wanted // processes, memory // (OWN_MEMORY + LIGHT)))
    return RendererShare(count, memory - count * OWN_MEMORY)


def open_renderers(settings: RendererSettings, count: int, max_memory: int, arenas: int) -> RendererPool:
    """Create the pool of renderers; none is started yet.

    Args:
        settings: how long a picture may take.
        count: how many renderers.
        max_memory: the most bytes of memory for one picture.
        arenas: malloc arenas of the service's own threads; a renderer has one, or the default if this is 0.
            One thread at a time works there, and with two arenas it retained so much memory that it was
            often replaced.
    """
    warned, outputs = set[Confinement](), set[str]()

    def on_start(confinement: Confinement, output: str) -> None:
        if confinement not in warned:
            warned.add(confinement)
            _warn(confinement)
        if output and output not in outputs and len(outputs) < MAX_OUTPUTS:
            outputs.add(output)
            log.warning("renderer-output", message=output)

    return RendererPool(
        count, max_memory, settings.seconds, arenas=min(arenas, 1), on_start=on_start, on_end=_log_exit
    )


async def decode(
    workers: Workers,
    estimate: WorkEstimate,
    work: Callable[Concatenate[Allowance, P], R],
    /,
    *args: P.args,
    **kwargs: P.kwargs,
) -> R:
    """Run work on a renderer when a slot is free, and again with more memory if it needs that.

    Args:
        workers: the worker pool.
        estimate: the estimated cost.
        work: called in a thread with what it may take, and the other arguments.
        args: the other arguments.
        kwargs: the other arguments.

    Raises:
        Overloaded: when there is no slot in time, or no renderer can be started.
        InvalidImage: when it needs more memory than there is.
    """
    allowance = Allowance(estimate.memory)
    estimate = structs.replace(estimate, deadline=workers.deadline(estimate))
    try:
        for is_last in (False, True):
            try:
                return await workers.pixels(estimate, work, allowance, *args, **kwargs)
            except NeedsMemory as more:
                # The last attempt has all the memory there is: a renderer can't make us retry for ever.
                memory = workers.max_memory if is_last else more.memory
                estimate = structs.replace(estimate, memory=memory)
                # All attempts together have the time of one image, and wait as long as one.
                allowance = Allowance(memory, more.seconds_used)
        return await workers.pixels(estimate, work, allowance, *args, **kwargs)
    except UnavailableError as failed:
        if isinstance(failed, StartError):
            log.error("renderer-start-failed", reason=str(failed))  # noqa: TRY400  the reason says it all
        raise Overloaded("No picture can be worked on now; try again in a moment.", retry_after=5) from None


def _warn(confinement: Confinement) -> None:
    if not confinement.seccomp:
        log.warning("seccomp-unavailable", effect="renderers can make any system call")
    if not confinement.landlock_abi:
        log.warning("landlock-unavailable", effect="text in SVG is drawn in the default fonts only")


def _log_exit(ended: RendererExit) -> None:
    log.warning("renderer-exited", reason=ended.why, status=ended.status, memory=ended.memory)


def _cores() -> int:
    """The cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
