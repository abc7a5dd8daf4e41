"""Keeping the cache of renditions within its size: what was used longest ago makes room for the new."""

import asyncio
from contextlib import ExitStack

from tintype.core.services import Services

PAUSE = 5.0
"""Seconds between two passes that found no room to make."""


def maybe_evict(services: Services) -> None:
    """Begin to make room, if that is due and not under way; nobody waits for it."""
    if services.renditions.needs_eviction():
        services.workers.spawn_background("evict", lambda: _evict_and_pause(services))


async def evict(services: Services, to_free: int = 0) -> int:
    """Count the cache, and remove what was used longest ago until there is room; answers how many files.

    With `to_free` at least so many bytes go, where there are as many. One process of the machine does it at a
    time, a shard after the other: disk threads are free for others in between.
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
        services.workers.counters.evicted += eviction.files
        return eviction.files


async def _evict_and_pause(services: Services) -> None:
    await evict(services)
    if services.renditions.needs_eviction():
        # All of it is in use: looking again at once would find the same.
        await asyncio.sleep(PAUSE)
