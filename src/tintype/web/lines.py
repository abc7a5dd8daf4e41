"""Log lines of delivered pictures: gathered, and written many at once."""

import asyncio
import select
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
import structlog
from msgspec import Struct

from tintype.web.logs import LogSettings, is_json, tells_info

MOST_LINES = 1000
"""Lines that are gathered at most."""
FLUSH_SECONDS = 0.5
"""How long a line waits at most."""
WRITE_SIZE = getattr(select, "PIPE_BUF", 4096)
"""Bytes written at once: more of them could come apart where several processes write into one pipe."""

log = structlog.get_logger("tintype")
encode = msgspec.json.Encoder().encode


class Line(Struct, frozen=True, kw_only=True):
    """A delivered picture, with the fields of every line about a request. Who asks is nobody's caller."""

    request_id: str
    method: str
    path: str
    status: int
    ms: float
    account: None = None
    token: None = None
    event: str = "request"
    level: str = "info"
    time: datetime


class Lines:
    """The lines of one process. A normal stop loses none: `close` writes what is left."""

    def __init__(self, settings: LogSettings) -> None:
        self._is_json = is_json(settings)
        self.is_on = settings.pictures and tells_info(settings)
        self._gathered: list[tuple[str, str, str, int, float, float]] = []
        self._flushing: asyncio.TimerHandle | None = None
        self._most = MOST_LINES

    def add(self, request_id: str, method: str, path: str, status: int, ms: float, at: float) -> None:
        """Tell of a delivery that took `ms` milliseconds and was over at Unix time `at`."""
        if not self.is_on:
            return
        self._gathered.append((request_id, method, path, status, ms, at))
        if len(self._gathered) >= self._most:
            self.flush()
        elif self._flushing is None:
            self._flushing = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)

    def flush(self) -> None:
        """Write what was gathered."""
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
        gathered, self._gathered = self._gathered, []
        if self._is_json:
            for block in _blocks([_json(line) for line in gathered]):
                sys.stderr.write(block.decode())
                sys.stderr.flush()
            return
        for request_id, method, path, status, ms, _at in gathered:
            log.info("request", request_id=request_id, method=method, path=path, status=status, ms=ms)

    def close(self) -> None:
        """Write what was gathered, and from now on every line at once."""
        self._most = 1
        self.flush()


def _json(line: tuple[str, str, str, int, float, float]) -> bytes:
    request_id, method, path, status, ms, at = line
    told = Line(
        request_id=request_id,
        method=method,
        path=path,
        status=status,
        ms=round(ms, 2),
        time=datetime.fromtimestamp(at, UTC),
    )
    return encode(told) + b"\n"


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
