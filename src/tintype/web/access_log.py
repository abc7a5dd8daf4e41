"""The access log: lines of requests, buffered and written in batches."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
import structlog

from tintype.web.logs import WRITE_SIZE, LogSettings, Stderr, clean, is_json, logs_info

MAX_LINES = 1000
"""The most lines in the buffer."""
FLUSH_SECONDS = 0.5
"""The longest time that a line stays in the buffer."""

log = structlog.get_logger("tintype")
encode = msgspec.json.Encoder(enc_hook=str).encode

LogFields = dict[str, object]
"""The fields of a line, in order."""


class AccessLog:
    """The access log of one process. A normal stop loses no line: `close` writes the buffer.

    Attributes:
        is_on: whether requests are logged.
        logs_deliveries: whether delivered pictures are logged too.
    """

    def __init__(self, settings: LogSettings) -> None:
        self._is_json = is_json(settings)
        self.is_on = logs_info(settings)
        self.logs_deliveries = self.is_on and settings.pictures
        self._pending: list[tuple[LogFields, float]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._max_pending = MAX_LINES
        self._stderr = Stderr()

    def add(self, fields: LogFields, ended_at: float) -> None:
        """Log a request that ended at Unix time `ended_at`."""
        if not self.is_on:
            return
        self._pending.append((fields, ended_at))
        if len(self._pending) >= self._max_pending:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)

    def flush(self) -> None:
        """Write the buffer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        pending, self._pending = self._pending, []
        if self._is_json:
            for block in _blocks([_json(line) for line in pending]):
                self._stderr.write(block.decode())
                self._stderr.flush()
            return
        for fields, _ended_at in pending:
            log.info("request", **fields)

    def close(self) -> None:
        """Write the buffer, and from now on every line immediately."""
        self._max_pending = 1
        self.flush()


def _json(pending: tuple[LogFields, float]) -> bytes:
    fields, ended_at = pending
    line = {name: _clean(value) for name, value in fields.items()}
    line |= {"event": "request", "level": "info", "time": datetime.fromtimestamp(ended_at, UTC)}
    return encode(line) + b"\n"


def _clean(value: object) -> object:
    """As `clean`, also for texts in lists and objects."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_clean(each) for each in value]
    if isinstance(value, dict):
        return {name: _clean(each) for name, each in value.items()}
    return value


def _blocks(lines: list[bytes]) -> Iterator[bytes]:
    """The lines in as few blocks as their size allows."""
    block = b""
    for line in lines:
        if block and len(block) + len(line) > WRITE_SIZE:
            yield block
            block = b""
        block += line
    if block:
        yield block
