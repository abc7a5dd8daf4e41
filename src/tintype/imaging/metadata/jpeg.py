"""JPEG (T.81, annex B): writes the segments that a decoder needs, up to EOI."""

from collections.abc import Iterator
from itertools import takewhile

from tintype.imaging.errors import damaged
from tintype.imaging.headers.jpeg import FRAMES, SCAN
from tintype.imaging.metadata import exif, icc
from tintype.imaging.metadata.jpeg_end import without_surplus
from tintype.imaging.metadata.jpeg_segments import Segment, read, write

APP0, APP1, APP2, APP14 = 0xE0, 0xE1, 0xE2, 0xEE
KEPT = FRAMES | {0xC4, 0xCC, 0xDB, 0xDC, 0xDD, SCAN}
"""Frames, tables, number of lines, restart interval, scans."""
EXIF, JFIF, ADOBE, PROFILE = b"Exif\0\0", b"JFIF\0", b"Adobe", b"ICC_PROFILE\0"
JFIF_BYTES, ADOBE_BYTES = 12, 12
"""Content up to the size of a thumbnail, and all content of Adobe's segment."""
NO_THUMBNAIL = bytes(2)
PART_BYTES = 65_519
"""Maximum length of a part of a profile (ICC.1:2022, B.4)."""


def strip(data: bytes) -> bytes:
    """The file without metadata; with a minimal EXIF segment if the orientation isn't upright.

    Raises:
        ImageRefused: when it is damaged; also if two EXIF segments contradict each other.
    """
    segments = list(read(data))
    orientation = _orientation(segments)
    described = [_exif(orientation)] if orientation != exif.UPRIGHT else []
    described = [*_last(segments, APP0), *described, *_last(segments, APP14), *_profile(segments)]
    return write((*described, *without_surplus(_needed(segments))))


def strip_part(data: bytes) -> bytes:
    """A strip or tile of a TIFF, or its tables (TIFF technical note 2), without what is not needed.

    Raises:
        ImageRefused: when it is damaged.
    """
    segments = list(read(data))
    return write((*_last(segments, APP0), *_last(segments, APP14), *_needed(segments)))


def _needed(segments: list[Segment]) -> list[Segment]:
    return [segment for segment in segments if segment.marker in KEPT]


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


def _exif(orientation: int) -> Segment:
    return Segment(APP1, EXIF + exif.minimal(orientation))
