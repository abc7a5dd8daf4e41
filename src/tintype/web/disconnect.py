"""Clients that disconnect while work is done for them."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from tintype.model import ClientGone
from tintype.web.context import Context
from tintype.web.dialect_routes import Receive

T = TypeVar("T")


async def cancel_on_disconnect(context: Context, receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """Await work, and cancel it when the client disconnects.

    Raises:
        ClientGone: when the client disconnected.
    """
    if context.announces_body and not context.body_is_read:
        # The next message would be the body.
        return await work
    making, leaving = asyncio.create_task(work), asyncio.create_task(_disconnected(receive))
    try:
        await asyncio.wait((making, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not making.done():
            raise ClientGone
        return making.result()
    finally:
        making.cancel()
        leaving.cancel()
        # A thread may still use what the caller cleans up next.
        await asyncio.wait((making,))
        if not making.cancelled():
            # Nobody waits for its error any more, and asyncio would log one that nobody asked for.
            making.exception()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
