"""Keeps the cache of renditions within its size by evicting the least recently used."""

import asyncio
from contextlib import ExitStack

from tintype.core.services import Services

PAUSE = 5.0
"""Seconds until the next pass after one that could not evict enough."""


def maybe_evict(services: Services) -> None:
    """Start an eviction in the background, if one is due and none is running."""
    if services.renditions.needs_eviction():
        services.workers.spawn_background("evict", lambda: _evict_and_pause(services))


async def evict(services: Services, to_free: int = 0) -> int:
    """Measure the cache, and remove the least recently used files until it is within its size.

    With `to_free` at least so many bytes are removed, if there are as many. Only one process of the machine
    evicts at a time. It works shard by shard, so that disk threads are free for other work in between.

    Returns:
        How many files were removed.
    """
    with ExitStack() as stack:
        eviction = await services.workers.disk(stack.enter_context, services.renditions.evicting())
        if eviction is None:
            return 0
        for shard in eviction.shards:
            await services.workers.disk(eviction.count, shard)
        if await services.workers.disk(eviction.plan, to_free):
            for shard in eviction.shards:
                await services.workers.disk(eviction.remove, shard)
        services.workers.counters.evicted.inc(eviction.files)
        return eviction.files


async def _evict_and_pause(services: Services) -> None:
    await evict(services)
    if services.renditions.needs_eviction():
        # Everything is in use; another pass right away would find the same.
        await asyncio.sleep(PAUSE)
