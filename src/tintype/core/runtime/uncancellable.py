"""Work that is carried out to its end although the task that waits for it is cancelled."""

import asyncio
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def uncancellable(work: asyncio.Future[T]) -> T:
    """The result of work; on cancellation wait until it is done, then raise `CancelledError`."""
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        while not work.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([work])
        # Nobody waits for its error any more, and asyncio would log one that nobody asked for.
        work.exception()
        raise
