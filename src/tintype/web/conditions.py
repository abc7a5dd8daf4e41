"""Conditional requests and ranges (RFC 9110, 13 and 14), as far as pictures know them."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from msgspec import Struct

from tintype.model import Error, Kind

Headers = Mapping[str, str]
"""Header fields of a request by name, in lower case."""

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z", re.IGNORECASE)


class ByteRange(Struct, frozen=True):
    """The bytes `start` to `end` (exclusive) of `size`; `partial` if the client asked for a range."""

    start: int
    end: int
    size: int
    partial: bool


def is_unmodified(asked: Headers, etag: str, modified: datetime) -> bool:
    """RFC 9110, 13.2.2: If-None-Match decides alone where it is sent; If-Modified-Since is second best."""
    if "if-none-match" in asked:
        tags = {tag.strip().removeprefix("W/") for tag in asked["if-none-match"].split(",")}
        return bool(tags & {etag, "*"})
    since = _date(asked.get("if-modified-since", ""))
    return since is not None and modified.replace(microsecond=0) <= since


def byte_range(method: str, asked: Headers, etag: str, modified: datetime, size: int) -> ByteRange:
    """The bytes asked for; all of them unless it is one range that can be had and If-Range allows it.

    Raises:
        Error: RANGE_NOT_SATISFIABLE, with the size as its code, when no byte of the range exists.
    """
    whole = ByteRange(0, size, size, partial=False)
    match = _RANGE.match(asked.get("range", "").replace(" ", ""))
    if method != "GET" or match is None or not _if_range_matches(asked, etag, modified):
        return whole
    first, last = match[1], match[2]
    if not first and not last:
        return whole
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if first and last and int(last) < start:
        return whole
    if start >= size:
        raise Error(Kind.RANGE_NOT_SATISFIABLE, f"The picture has {size} bytes.", code=size)
    return ByteRange(start, end, size, partial=True)


def _if_range_matches(asked: Headers, etag: str, modified: datetime) -> bool:
    condition = asked.get("if-range")
    if condition is None:
        return True
    if condition.startswith('"'):
        return condition == etag
    return _date(condition) == modified.replace(microsecond=0)


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
