"""A full disk: renditions give way to uploads, and what makes room has a reserve to do it in."""

from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

import structlog

from tintype.core.delivery.evict import evict
from tintype.core.services import Services
from tintype.model import Error, Kind

P = ParamSpec("P")
T = TypeVar("T")

log = structlog.get_logger("tintype")

MIN_FREED_BYTES = 64 * 1024 * 1024
"""Bytes of renditions that give way at least: a look at all of them takes a while."""


async def write_with_eviction(
    services: Services, work: Callable[P, None], /, *args: P.args, **kwargs: P.kwargs
) -> None:
    """Write to the disk, on a thread; where it is full, renditions give way.

    Args:
        work: what writes. It may be done twice.
        *args: what it is given.
        **kwargs: the same.

    Raises:
        Error: INSUFFICIENT_STORAGE.
    """
    try:
        await services.workers.disk(work, *args, **kwargs)
    except Error as failed:
        if failed.kind is not Kind.INSUFFICIENT_STORAGE:
            raise
        if not await _free_space(services):
            log_not_stored(failed)
            raise
        await services.workers.disk(work, *args, **kwargs)


async def with_reserve(services: Services, change: Callable[[], Awaitable[T]]) -> T:
    """Carry out a change that makes room, on a full disk in the room that is reserved for such changes.

    The reserve is made again by the next upload, which is refused as long as there is no room for it.

    Args:
        change: what changes the catalogue. It may be done twice.

    Raises:
        Error: INSUFFICIENT_STORAGE when there is no reserve left, or none would help.
    """
    try:
        return await change()
    except Error as failed:
        if failed.kind is not Kind.INSUFFICIENT_STORAGE:
            raise
        if not await services.workers.disk(services.reserve.release):
            raise
    return await change()


def log_not_stored(refused: Error) -> None:
    """Tell the log that something was not stored."""
    log.error("insufficient-storage", reason=refused.message)


async def _free_space(services: Services) -> bool:
    """Whether any renditions gave way; who asks while some do shares the answer."""
    return await services.workers.singleflight("make-room", lambda: evict(services, MIN_FREED_BYTES)) > 0
