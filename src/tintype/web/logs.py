"""The log: one line per event, as JSON or text."""

import logging
import select
import sys
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import suppress
from enum import StrEnum
from typing import Any, TextIO, cast

import structlog
from msgspec import Struct

WRITE_SIZE = getattr(select, "PIPE_BUF", 4096)
"""Bytes per write: larger writes of several processes into one pipe may be interleaved."""
MAX_CHARACTER_BYTES = 4
"""Bytes of one character in UTF-8."""
MAX_VALUE = 2000
"""The longest value in a line, such as a path, in characters; the rest is cut off."""
MAX_TRACEBACK = 20_000
"""The longest traceback, in characters; its beginning is cut off."""

log = structlog.get_logger("tintype")


class LogFormat(StrEnum):
    """The format of a line."""

    AUTO = "auto"
    JSON = "json"
    TEXT = "text"


class LogLevel(StrEnum):
    """The least level that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The log, on standard error."""

    format: LogFormat = LogFormat.AUTO
    """`json`, an object a line; `text`, for reading; `auto`, text on a terminal and JSON elsewhere."""
    level: LogLevel = LogLevel.INFO
    """The lowest level that is logged: `debug`, `info`, `warning`, `error`."""
    pictures: bool = True
    """Whether each delivered picture is logged, at level `info`; refusals are always logged."""


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
        # One write per line: worker processes share the stream, and lines must not be interleaved.
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", Stderr())),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_LibraryHandler()], force=True)


def capture_stderr() -> None:
    """Log what Python itself would write to standard error as plain text: warnings, errors of threads."""
    logging.captureWarnings(capture=True)
    threading.excepthook = _log_thread_exception
    sys.unraisablehook = _log_unraisable


class Stderr:
    """Standard error; its errors are ignored.

    When it is a full disk, a pipe whose reader is gone or doesn't read, or a halted terminal (Ctrl-S), lines
    are lost, and no request waits.
    """

    def write(self, text: str) -> None:
        """Write; lose the text on an error."""
        with suppress(OSError):
            for piece in _pieces(text):
                if not _is_writable():
                    return
                sys.stderr.write(piece)
                sys.stderr.flush()

    def flush(self) -> None:
        """Flush; ignore errors."""
        with suppress(OSError):
            sys.stderr.flush()


def _pieces(text: str) -> Iterator[str]:
    """The text in pieces of at most `WRITE_SIZE` bytes, which a pipe accepts whole or not at all."""
    if len(text.encode(errors="replace")) <= WRITE_SIZE:
        yield text
        return
    step = WRITE_SIZE // MAX_CHARACTER_BYTES
    for at in range(0, len(text), step):
        yield text[at : at + step]


def _is_writable() -> bool:
    """Whether standard error accepts `WRITE_SIZE` bytes without blocking, or raises an error."""
    try:
        waiting = select.poll()
        waiting.register(sys.stderr.fileno(), select.POLLOUT)
    except (AttributeError, ValueError):
        # It has no file descriptor.
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


def _log_thread_exception(raised: threading.ExceptHookArgs) -> None:
    thread = raised.thread.name if raised.thread is not None else ""
    log.error("unexpected-error", work=thread, exc_info=raised.exc_value)


def _log_unraisable(raised: "sys.UnraisableHookArgs") -> None:
    log.error("unexpected-error", work=repr(raised.object), exc_info=raised.exc_value)


def clean(text: str) -> str:
    """The text, truncated, with control characters escaped."""
    text = text[:MAX_VALUE]
    return text if text.isprintable() else _escaped(text)


def _clean_values(
    _logger: object, _method: str, fields: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Clean all texts of a line; a traceback keeps its line breaks."""
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
