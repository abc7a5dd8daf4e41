"""The log: one line an event, JSON or for reading."""

import logging
import sys
from enum import StrEnum

import structlog
from msgspec import Struct


class LogFormat(StrEnum):
    """How a line looks."""

    JSON = "json"
    TEXT = "text"


class LogSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The log, on standard error."""

    format: LogFormat = LogFormat.JSON
    """`json`, an object a line, or `text`."""
    level: str = "info"
    """The least level that is written: debug, info, warning, error."""


def start(settings: LogSettings) -> None:
    """Set up the log of this process."""
    level = logging.getLevelNamesMapping().get(settings.level.upper(), logging.INFO)
    last = (
        structlog.processors.JSONRenderer()
        if settings.format is LogFormat.JSON
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.format_exc_info,
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
