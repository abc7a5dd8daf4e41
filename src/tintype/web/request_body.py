"""A request body as it comes in: waited for within limits, and dropped where nobody wants it."""

import asyncio
import time
from typing import Any

from tintype.web.context import Context
from tintype.web.dialect_routes import Receive
from tintype.web.settings import WebSettings

_DISCONNECT = {"type": "http.disconnect"}


class RequestBody:
    """The messages of a request, of which all but the last are its body.

    A body that stands still, comes too slowly or takes too long counts as broken off, as if its client had
    gone away. Only the time that we wait for it counts.
    """

    def __init__(self, context: Context, receive: Receive, settings: WebSettings) -> None:
        self._context = context
        self._receive = receive
        self._settings = settings
        self._rate = _RateCheck(settings)
        self._has_begun = False
        self._is_aborted = False
        declared = context.headers.get("content-length", "")
        self._remaining = int(declared[:20]) if declared.isdecimal() else -1

    async def receive(self) -> dict[str, Any]:
        """The next message."""
        message: dict[str, Any]
        if self._context.body_is_read:
            # All that can come is that the client goes away, at any time.
            message = await self._receive()
            return message
        self._has_begun = True
        message, is_fast = await self._next()
        self._remaining -= len(message.get("body", b""))
        if self._remaining == 0 and message.get("more_body"):
            # That was all: the server would tell so in a message of its own, a trip between threads later.
            message = message | {"more_body": False}
        if message.get("more_body") and not is_fast:
            message = _DISCONNECT
        self._is_aborted = message["type"] == "http.disconnect"
        self._context.body_is_read = not message.get("more_body", False)
        return message

    async def drain(self) -> None:
        """Drop what nobody has read: a client may look at no answer before it has sent everything."""
        if not self._has_begun and (self._expects_continue() or not self._context.announces_body):
            # The client waits for our word before it sends a body, or has none to send.
            return
        is_unauthenticated = self._context.account is None
        limit = self._settings.stranger_drain_bytes if is_unauthenticated else self._settings.drain_bytes
        if self._remaining > limit:
            # To drop some of it would not save the connection, nor an answer that nobody looks at yet.
            return
        dropped = 0
        while not self._context.body_is_read and dropped <= limit:
            dropped += len((await self.receive()).get("body", b""))

    def has_unread_body(self) -> bool:
        """Whether more of the body is on its way that nobody will read."""
        return (
            self._context.announces_body and not self._context.body_is_read and not self._expects_continue()
        )

    def can_keep_alive(self) -> bool:
        """Whether what comes next on this connection is another request."""
        if self._context.body_is_read:
            return not self._is_aborted
        return not self._has_begun and not self._context.announces_body

    def _expects_continue(self) -> bool:
        return self._context.headers.get("expect", "").lower() == "100-continue"

    async def _next(self) -> tuple[dict[str, Any], bool]:
        """The next message, and whether the body comes fast enough."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._rate.timeout()):
                message: dict[str, Any] = await self._receive()
        except TimeoutError:
            return _DISCONNECT, False
        return message, self._rate.is_fast_enough(time.monotonic() - began, len(message.get("body", b"")))


class _RateCheck:
    """How long a body was waited for, and how much of it came in the present stretch of that time."""

    def __init__(self, settings: WebSettings) -> None:
        self._settings = settings
        self._remaining = settings.body_seconds
        self._waited = 0.0
        self._received = 0

    def timeout(self) -> float:
        """Seconds that the next piece may take."""
        return min(self._settings.body_idle_seconds, max(0.0, self._remaining))

    def is_fast_enough(self, seconds: float, size: int) -> bool:
        """Whether the body comes fast enough, when so many bytes more took so many seconds."""
        self._remaining -= seconds
        self._waited += seconds
        self._received += size
        if self._waited < self._settings.rate_seconds:
            return True
        is_fast_enough = self._received >= self._settings.min_rate * self._waited
        self._waited, self._received = 0.0, 0
        return is_fast_enough
