"""JPEG (T.81, annex B): writes the segments that a decoder needs, up to EOI."""

import re
import struct
from collections.abc import Iterator
from itertools import takewhile

from msgspec import Struct

from tintype.imaging.errors import damaged
from tintype.imaging.metadata import exif, icc

START, END, SCAN, RESTART_INTERVAL, TEMPORARY, FILL = 0xD8, 0xD9, 0xDA, 0xDD, 0x01, 0xFF
APP0, APP1, APP2, APP14 = 0xE0, 0xE1, 0xE2, 0xEE
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
KEPT = FRAMES | {0xC4, 0xCC, 0xDB, 0xDC, RESTART_INTERVAL, SCAN}
"""Frames, tables, number of lines, restart interval, scans."""
EXIF, JFIF, ADOBE, PROFILE = b"Exif\0\0", b"JFIF\0", b"Adobe", b"ICC_PROFILE\0"
JFIF_BYTES, ADOBE_BYTES = 12, 12
"""Content up to the size of a thumbnail, and all content of Adobe's segment."""
NO_THUMBNAIL = bytes(2)
PART_BYTES = 65_519
"""Maximum length of a part of a profile (ICC.1:2022, B.4)."""
MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""The end of a scan's data: a marker other than a restart (B.1.1.5)."""
RESTART = re.compile(rb"\xff[\xd0-\xd7]")
BETWEEN = re.compile(rb"\xff[\xc0-\xcf\xd9-\xfe]")
"""The start of a segment, or EOI: a marker that is neither reserved nor stand-alone."""
MAX_SEGMENTS = 100_000


class Segment(Struct, frozen=True):
    """A marker, the content after the length, and the data after it if it is a scan."""

    marker: int
    content: bytes
    data: bytes = b""


def strip(data: bytes) -> bytes:
    """The file without metadata; with a minimal EXIF segment if the orientation isn't upright.

    Raises:
        ImageRefused: when it is damaged; also if two EXIF segments contradict each other.
    """
    segments = list(_segments(data))
    orientation = _orientation(segments)
    described = [_exif(orientation)] if orientation != exif.UPRIGHT else []
    return _file((*_last(segments, APP0), *described, *_last(segments, APP14), *_profile(segments)), segments)


def strip_part(data: bytes) -> bytes:
    """A strip or tile of a TIFF, or its tables (TIFF technical note 2), without what is not needed.

    Raises:
        ImageRefused: when it is damaged.
    """
    segments = list(_segments(data))
    return _file((*_last(segments, APP0), *_last(segments, APP14)), segments)


def _file(described: tuple[Segment, ...], segments: list[Segment]) -> bytes:
    needed = [segment for segment in segments if segment.marker in KEPT]
    written = (_bytes(segment) for segment in (*described, *_without_surplus(needed)))
    return b"".join((bytes((0xFF, START)), *written, bytes((0xFF, END))))


def _segments(data: bytes) -> Iterator[Segment]:
    """The segments before EOI; a missing one is accepted, as are bytes between segments."""
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
    found = MARKER.search(data, at)
    if found is None:
        return len(data)
    if data[found.end() - 1] == TEMPORARY:
        # It isn't valid there, and decoders differ in where they go on.
        raise damaged()
    end = found.start()
    while data[end - 1] == FILL and end > at:
        end -= 1
    return end


def _orientation(segments: list[Segment]) -> int:
    found = {
        exif.orientation(segment.content[len(EXIF) :])
        for segment in segments
        if segment.marker == APP1 and segment.content.startswith(EXIF)
    }
    if len(found) > 1:
        # Decoders differ in which one they take.
        raise damaged()
    return found.pop() if found else exif.UPRIGHT


def _last(segments: list[Segment], marker: int) -> Iterator[Segment]:
    """The segment of JFIF, without its thumbnail, or of Adobe: they affect colours."""
    start, length, rest = {APP0: (JFIF, JFIF_BYTES, NO_THUMBNAIL), APP14: (ADOBE, ADOBE_BYTES, b"")}[marker]
    found = [
        segment.content
        for segment in takewhile(lambda segment: segment.marker != SCAN, segments)
        if segment.marker == marker and segment.content.startswith(start)
    ]
    if found and len(found[-1]) >= length + len(rest):
        yield Segment(marker, found[-1][:length] + rest)


def _profile(segments: list[Segment]) -> Iterator[Segment]:
    """The ICC profile, in parts that are numbered from 1 (ICC.1:2022, B.4)."""
    parts = {
        segment.content[len(PROFILE)]: segment.content[len(PROFILE) + 2 :]
        for segment in segments
        if segment.marker == APP2
        and segment.content.startswith(PROFILE)
        and len(segment.content) > len(PROFILE) + 1
    }
    profile = icc.trim(b"".join(parts[number] for number in sorted(parts)))
    count = -(-len(profile) // PART_BYTES)
    for part in range(count):
        content = profile[part * PART_BYTES : (part + 1) * PART_BYTES]
        yield Segment(APP2, PROFILE + bytes((part + 1, count)) + content)


def _without_surplus(segments: list[Segment]) -> Iterator[Segment]:
    """Segments whose scans end where a decoder stops at the latest, as far as restarts tell it."""
    interval = 0
    for segment in segments:
        if segment.marker == RESTART_INTERVAL:
            interval = int.from_bytes(segment.content)
        yield segment if interval else Segment(segment.marker, segment.content, _up_to_restart(segment.data))


def _up_to_restart(data: bytes) -> bytes:
    found = RESTART.search(data)
    return data if found is None else data[: found.start()]


def _exif(orientation: int) -> Segment:
    return Segment(APP1, EXIF + exif.minimal(orientation))


def _bytes(segment: Segment) -> bytes:
    head = struct.pack(">BBH", 0xFF, segment.marker, 2 + len(segment.content))
    return head + segment.content + segment.data
