"""The log: one line an event, JSON or for reading."""

import logging
import select
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import suppress
from enum import StrEnum
from typing import Any, TextIO, cast

import structlog
from msgspec import Struct

WRITE_SIZE = getattr(select, "PIPE_BUF", 4096)
"""Bytes written at once: more of them could come apart where several processes write into one pipe."""
MAX_CHARACTER_BYTES = 4
"""Bytes of one character in UTF-8."""
MAX_VALUE = 2000
"""Characters of a value in a line, such as a path; the rest is cut off."""
MAX_TRACEBACK = 20_000
"""Characters of a traceback, from its end."""

log = structlog.get_logger("tintype")


class LogFormat(StrEnum):
    """How a line looks."""

    AUTO = "auto"
    JSON = "json"
    TEXT = "text"


class LogLevel(StrEnum):
    """How much is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The log, on standard error."""

    format: LogFormat = LogFormat.AUTO
    """`json`, an object a line; `text`, for reading; `auto`, text on a terminal and JSON elsewhere."""
    level: LogLevel = LogLevel.INFO
    """The least level that is written: `debug`, `info`, `warning`, `error`."""
    pictures: bool = True
    """Whether delivered pictures have a line each, of level `info`; refusals have one anyway."""


def start(settings: LogSettings) -> None:
    """Set up the log of this process."""
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    as_json = is_json(settings)
    last = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(
            timestamp_key="time", exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.format_exc_info,
            _clean_values,
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # One write a line: worker processes share the stream, and a line must not come apart.
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", Stderr())),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_LibraryHandler()], force=True)


class Stderr:
    """Standard error, whose own faults concern nobody.

    Where it ends on a full disk, in a pipe whose reader is gone or doesn't read, or on a terminal that was
    halted (Ctrl-S), lines are lost, and no request waits.
    """

    def write(self, text: str) -> None:
        """Write, or lose it."""
        with suppress(OSError):
            for piece in _pieces(text):
                if not _is_writable():
                    return
                sys.stderr.write(piece)
                sys.stderr.flush()

    def flush(self) -> None:
        """Flush, or lose it."""
        with suppress(OSError):
            sys.stderr.flush()


def _pieces(text: str) -> Iterator[str]:
    """The text in pieces that a pipe takes at once if it takes anything: all of it, unless that is long."""
    if len(text.encode(errors="replace")) <= WRITE_SIZE:
        yield text
        return
    step = WRITE_SIZE // MAX_CHARACTER_BYTES
    for at in range(0, len(text), step):
        yield text[at : at + step]


def _is_writable() -> bool:
    """Whether standard error takes `WRITE_SIZE` bytes at once, or has a fault to tell."""
    try:
        waiting = select.poll()
        waiting.register(sys.stderr.fileno(), select.POLLOUT)
    except (AttributeError, ValueError):
        # No descriptor that it could be asked of.
        return True
    return bool(waiting.poll(0))


class _LibraryHandler(logging.Handler):
    """Writes the log records of libraries as lines of this log."""

    def emit(self, record: logging.LogRecord) -> None:
        log.log(
            record.levelno,
            "library-message",
            logger=record.name,
            message=record.getMessage(),
            exc_info=record.exc_info,
        )


def clean(text: str) -> str:
    """A text as a line can have it: not endless, and with nothing in it that a terminal would obey."""
    text = text[:MAX_VALUE]
    return text if text.isprintable() else _escaped(text)


def _clean_values(
    _logger: object, _method: str, fields: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """All texts of a line made clean; a traceback keeps its lines."""
    for name, value in fields.items():
        if name == "exception":
            fields[name] = "\n".join(map(clean, str(value)[-MAX_TRACEBACK:].splitlines()))
        elif isinstance(value, str):
            fields[name] = clean(value)
    return fields


def _escaped(text: str) -> str:
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def is_json(settings: LogSettings) -> bool:
    """Whether the lines are JSON."""
    return settings.format is LogFormat.JSON or (
        settings.format is LogFormat.AUTO and not sys.stderr.isatty()
    )


def logs_info(settings: LogSettings) -> bool:
    """Whether lines of level `info` are written."""
    return settings.level in {LogLevel.DEBUG, LogLevel.INFO}
