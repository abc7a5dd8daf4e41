"""Services that follow the changes of other processes, and waiting for what is about to hold."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID

from tintype.core.delivery.invalidation import ChangePoller, find_deliverable
from tintype.core.runtime.record_cache import CachedImage
from tintype.core.services import Services

SOON_SECONDS = 20.0
"""How long a test waits for what happens in a moment, unless the machine is very busy."""


@asynccontextmanager
async def following(services: Services) -> AsyncIterator[None]:
    """The services as in a running process: it remembers, and follows what changes."""
    poller = ChangePoller(services)
    poller.start()
    try:
        await until(lambda: services.record_cache.fresh_until > time.monotonic())
        yield
    finally:
        await poller.stop()


async def remembered(services: Services, dialect: str, key: UUID) -> CachedImage:
    """An image that is in memory: nothing is kept while that is not fresh, as on a stalled machine."""
    known = await find_deliverable(services, dialect, key)
    if known.is_valid:
        return known
    await until(lambda: services.record_cache.fresh_until > time.monotonic())
    return await remembered(services, dialect, key)


def stay_fresh(services: Services) -> None:
    """Services that remember, and follow nothing: for what depends on no other process."""
    services.record_cache.extend_freshness(time.monotonic() + 3600)


async def until(holds: Callable[[], bool], within: float = SOON_SECONDS) -> None:
    """Wait until something holds; it must within so many seconds."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)
