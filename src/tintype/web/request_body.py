"""A request body: received within time limits, and drained when it is not read."""

import asyncio
import time
from typing import Any

from tintype.web.context import Context
from tintype.web.dialect_routes import Receive
from tintype.web.settings import WebSettings

_DISCONNECT = {"type": "http.disconnect"}


class RequestBody:
    """The messages of a request: its body, then the disconnect.

    A body that stalls, is too slow or takes too long is treated as if the client had disconnected. Only the
    time spent waiting for it counts.
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
            # Only a disconnect can follow, at any time.
            message = await self._receive()
            return message
        self._has_begun = True
        message, is_fast = await self._next()
        self._remaining -= len(message.get("body", b""))
        if self._remaining == 0 and message.get("more_body"):
            # The body is complete: don't wait for the server's last, empty message.
            message = message | {"more_body": False}
        if message.get("more_body") and not is_fast:
            message = _DISCONNECT
        self._is_aborted = message["type"] == "http.disconnect"
        self._context.body_is_read = not message.get("more_body", False)
        return message

    async def drain(self) -> None:
        """Discard the unread body: a client may not read the response before it has sent everything."""
        if not self._has_begun and (self._expects_continue() or not self._context.announces_body):
            # The client waits for 100 Continue, or has no body.
            return
        settings, account = self._settings, self._context.account
        limit = settings.unauthenticated_drain_bytes if account is None else settings.drain_bytes
        if self._remaining > limit:
            # Draining a part would neither keep the connection nor deliver the response.
            return
        dropped = 0
        while not self._context.body_is_read and dropped <= limit:
            dropped += len((await self.receive()).get("body", b""))

    def has_unread_body(self) -> bool:
        """Whether the client is still sending a body that will not be read."""
        return (
            self._context.announces_body and not self._context.body_is_read and not self._expects_continue()
        )

    def can_keep_alive(self) -> bool:
        """Whether the next bytes on this connection are another request."""
        if self._context.body_is_read:
            return not self._is_aborted
        return not self._has_begun and not self._context.announces_body

    def _expects_continue(self) -> bool:
        return self._context.headers.get("expect", "").lower() == "100-continue"

    async def _next(self) -> tuple[dict[str, Any], bool]:
        """The next message, and whether the body is fast enough."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._rate.timeout()):
                message: dict[str, Any] = await self._receive()
        except TimeoutError:
            return _DISCONNECT, False
        return message, self._rate.is_fast_enough(time.monotonic() - began, len(message.get("body", b"")))


class _RateCheck:
    """Checks the total time and the rate of a body, over periods of `rate_seconds`."""

    def __init__(self, settings: WebSettings) -> None:
        self._settings = settings
        self._remaining = settings.body_seconds
        self._waited = 0.0
        self._received = 0

    def timeout(self) -> float:
        """Seconds that the next message may take."""
        return min(self._settings.body_idle_seconds, max(0.0, self._remaining))

    def is_fast_enough(self, seconds: float, size: int) -> bool:
        """Count `size` bytes that took so many seconds; return whether the body is fast enough."""
        self._remaining -= seconds
        self._waited += seconds
        self._received += size
        if self._waited < self._settings.rate_seconds:
            return True
        is_fast_enough = self._received >= self._settings.min_rate * self._waited
        self._waited, self._received = 0.0, 0
        return is_fast_enough
