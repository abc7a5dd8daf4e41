"""JPEG (T.81, annex B): keeps segments up to EOI; what follows it, such as other images, is removed."""

import re
import struct
from collections.abc import Iterator

from tintype.imaging.errors import damaged
from tintype.imaging.metadata import exif

START, END, SCAN = 0xD8, 0xD9, 0xDA
APP0, APP1, APP2, APP14, APP15, COMMENT = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE
EXIF = b"Exif\0\0"
KEPT = {APP0: b"JFIF\0", APP2: b"ICC_PROFILE\0", APP14: b"Adobe"}
"""Application segments that affect colours: marker, and the beginning of the content."""
MARKER = re.compile(rb"\xff+[^\x00\x01\xd0-\xd7\xff]")
"""The start of a segment, or the end of a scan's data: a marker that is not stand-alone (T.81, B.1.1.5)."""
MAX_SEGMENTS = 100_000


def strip(data: bytes) -> bytes:
    """The file without metadata; with a minimal EXIF block if the orientation isn't upright.

    Raises:
        ImageRefused: when it is damaged.
    """
    if data[:2] != bytes((0xFF, START)):
        raise damaged()
    orientation = exif.UPRIGHT
    segments = [b""]
    for marker, segment in _segments(data):
        if marker == APP1 and segment[4:].startswith(EXIF) and orientation == exif.UPRIGHT:
            orientation = exif.orientation(segment[4 + len(EXIF) :])
        if not _is_metadata(marker, segment):
            segments.append(segment)
    if orientation != exif.UPRIGHT:
        segments[0] = _exif(orientation)
    return b"".join((data[:2], *segments))


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and bytes of each segment, including the data of scans, up to EOI if there is one."""
    at = 2
    for _ in range(MAX_SEGMENTS):
        # Bytes between segments are skipped, as libjpeg does.
        found = MARKER.search(data, at)
        if found is None:
            # A missing EOI is accepted.
            return
        marker, start = data[found.end() - 1], found.end() - 2
        if marker == END:
            yield marker, data[start : start + 2]
            return
        (length,) = struct.unpack_from(">H", data, start + 2)
        end = start + 2 + length
        if marker == SCAN:
            following = MARKER.search(data, end)
            end = len(data) if following is None else following.start()
        yield marker, data[start:end]
        at = end
    raise damaged()


def _is_metadata(marker: int, segment: bytes) -> bool:
    if marker == COMMENT:
        return True
    return APP0 <= marker <= APP15 and not (marker in KEPT and segment[4:].startswith(KEPT[marker]))


def _exif(orientation: int) -> bytes:
    block = EXIF + exif.minimal(orientation)
    return struct.pack(">BBH", 0xFF, APP1, 2 + len(block)) + block
