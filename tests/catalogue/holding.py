"""Transactions that stay open until a test lets them end."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from tintype.catalogue import Transaction


@asynccontextmanager
async def held_open(
    transact: Callable[[Callable[[Transaction], None]], Awaitable[None]],
    work: Callable[[Transaction], object] = lambda _: None,
) -> AsyncIterator[None]:
    """A transaction that has done its work, and ends after the block: `held_open(database.write, work)`."""
    loop, at_work, end = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def hold(tx: Transaction) -> None:
        work(tx)
        loop.call_soon_threadsafe(at_work.set)
        assert end.wait(60)

    holding = asyncio.ensure_future(transact(hold))
    try:
        await at_work.wait()
        yield
    finally:
        end.set()
        await holding
