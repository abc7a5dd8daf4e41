"""Segments of a JPEG (T.81, annex B): reading and writing."""

import re
import struct
from collections.abc import Iterable, Iterator

from msgspec import Struct

from tintype.imaging.errors import damaged
from tintype.imaging.headers.jpeg import AFTER_SCAN, END, SCAN

START, TEMPORARY, FILL = 0xD8, 0x01, 0xFF
BETWEEN = re.compile(rb"\xff[\xc0-\xcf\xd9-\xfe]")
"""The start of a segment, or EOI: a marker that is neither reserved nor stand-alone."""
MAX_SEGMENTS = 100_000


class Segment(Struct, frozen=True):
    """A marker, the content after the length, and the data after it if it is a scan."""

    marker: int
    content: bytes
    data: bytes = b""


def read(data: bytes) -> Iterator[Segment]:
    """The segments before EOI; a missing one is accepted, as are bytes between segments.

    Raises:
        ImageRefused: when a segment extends beyond the end, or there are too many.
    """
    if data[:2] != bytes((0xFF, START)):
        raise damaged()
    at = 2
    for _ in range(MAX_SEGMENTS):
        found = BETWEEN.search(data, at)
        if found is None or data[found.end() - 1] == END:
            return
        marker, start = data[found.end() - 1], found.end()
        (length,) = struct.unpack_from(">H", data, start)
        end = at = start + length
        if not 2 <= length <= len(data) - start:  # noqa: PLR2004  the length itself
            raise damaged()
        if marker == SCAN:
            at = _scan_end(data, end)
        yield Segment(marker, data[start + 2 : end], data[end:at])
    raise damaged()


def _scan_end(data: bytes, at: int) -> int:
    found = AFTER_SCAN.search(data, at)
    if found is None:
        return len(data)
    if data[found.end() - 1] == TEMPORARY:
        # It isn't valid there, and decoders differ in where they go on.
        raise damaged()
    end = found.start()
    while data[end - 1] == FILL and end > at:
        end -= 1
    return end


def write(segments: Iterable[Segment]) -> bytes:
    """A file of these segments, with SOI and EOI."""
    parts = [bytes((0xFF, START))]
    for segment in segments:
        parts += (_head(segment), segment.content, segment.data)
    return b"".join((*parts, bytes((0xFF, END))))


def _head(segment: Segment) -> bytes:
    return struct.pack(">BBH", 0xFF, segment.marker, 2 + len(segment.content))
