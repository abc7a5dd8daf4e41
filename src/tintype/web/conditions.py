"""Conditional requests and range requests (RFC 9110, 13 and 14) for pictures."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from msgspec import Struct

from tintype.model import RangeNotSatisfiable

Headers = Mapping[str, str]
"""Header fields of a request by name, in lower case."""

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z", re.IGNORECASE)


class ByteRange(Struct, frozen=True):
    """The bytes `start` to `end` (exclusive) of `size`; `partial` if the client asked for a range."""

    start: int
    end: int
    size: int
    partial: bool


def is_unmodified(headers: Headers, etag: str, modified: datetime) -> bool:
    """Whether to answer 304. RFC 9110, 13.2.2: If-None-Match takes precedence over If-Modified-Since."""
    if "if-none-match" in headers:
        tags = {tag.strip().removeprefix("W/") for tag in headers["if-none-match"].split(",")}
        return bool(tags & {etag, "*"})
    since = _date(headers.get("if-modified-since", ""))
    return since is not None and modified.replace(microsecond=0) <= since


def byte_range(method: str, headers: Headers, etag: str, modified: datetime, size: int) -> ByteRange:
    """The bytes to send: all, unless a single range is requested and If-Range matches.

    Raises:
        RangeNotSatisfiable: when the range is beyond the end.
    """
    whole = ByteRange(0, size, size, partial=False)
    requested = _RANGE.match(headers.get("range", "").replace(" ", ""))
    if method != "GET" or requested is None or not _if_range_matches(headers, etag, modified):
        return whole
    first, last = requested[1], requested[2]
    if not first and not last:
        return whole
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if first and last and int(last) < start:
        return whole
    if start >= size:
        raise RangeNotSatisfiable(size)
    return ByteRange(start, end, size, partial=True)


def _if_range_matches(headers: Headers, etag: str, modified: datetime) -> bool:
    condition = headers.get("if-range")
    if condition is None:
        return True
    if condition.startswith('"'):
        return condition == etag
    return _date(condition) == modified.replace(microsecond=0)


def _date(text: str) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
