"""A full disk: renditions are evicted for uploads, and deletes use space that is reserved for them."""

from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

import structlog

from tintype.core.delivery.evict import evict
from tintype.core.services import Services
from tintype.model import InsufficientStorage

P = ParamSpec("P")
T = TypeVar("T")

log = structlog.get_logger("tintype")

MIN_FREED_BYTES = 64 * 1024 * 1024
"""Bytes of renditions to evict at least: each eviction scans all of them, which takes a while."""


async def write_with_eviction(
    services: Services, work: Callable[P, None], /, *args: P.args, **kwargs: P.kwargs
) -> None:
    """Write to the disk on a thread; if it is full, evict renditions and try again.

    Args:
        work: writes; may be called twice.
        *args: its arguments.
        **kwargs: its keyword arguments.

    Raises:
        InsufficientStorage: when the disk is full and there is nothing to evict.
    """
    try:
        await services.workers.disk(work, *args, **kwargs)
    except InsufficientStorage as failed:
        if not await _free_space(services):
            log_not_stored(failed)
            raise
        await services.workers.disk(work, *args, **kwargs)


async def with_reserve(services: Services, change: Callable[[], Awaitable[T]]) -> T:
    """Run a change that frees space; if the disk is full, release the reserved space and try again.

    The next upload reserves the space again, and is refused as long as there is too little.

    Args:
        change: changes the catalogue; may be called twice.

    Raises:
        InsufficientStorage: when there is no reserve left, or it doesn't suffice.
    """
    try:
        return await change()
    except InsufficientStorage:
        if not await services.workers.disk(services.reserve.release):
            raise
    return await change()


def log_not_stored(refused: InsufficientStorage) -> None:
    """Log that something was not stored."""
    log.error("insufficient-storage", reason=refused.message)


async def _free_space(services: Services) -> bool:
    """Whether any renditions were evicted; concurrent callers share one eviction."""
    return await services.workers.singleflight("make-room", lambda: evict(services, MIN_FREED_BYTES)) > 0
