"""Services that follow the changes of other processes, and waiting for what is about to hold."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tintype.core.delivery.invalidation import ChangePoller
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


async def until(holds: Callable[[], bool], within: float = SOON_SECONDS) -> None:
    """Wait until something holds; it must within so many seconds."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)
