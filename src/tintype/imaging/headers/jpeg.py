"""JPEG (ITU-T T.81, annex B): parses segments up to the first scan; in progressive files, all scans."""

import re
import struct
from collections.abc import Iterator

from msgspec import Struct

from tintype.imaging.errors import damaged
from tintype.imaging.headers.header import Header, check_profile, too_many
from tintype.imaging.source import Buffer

MAX_SEGMENTS = 5000
"""Maximum number of segments before the first scan, and between scans; 100 MB of XMP would be 1,600."""
MAX_SCANS = 100
"""Encoders write about 10, optimising ones up to 20. The decoder visits all pixels for each scan, however few
bytes it has: 17 kB of empty scans keep it busy for minutes."""
MAX_COMPONENTS = 4

MARKER = re.compile(rb"\xff[^\x00\xff]")
AFTER_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""The end of a scan's data: any marker but a restart (B.1.1.5)."""
SCAN, END, PROFILE = 0xDA, 0xD9, 0xE2
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
PROGRESSIVE = frozenset((0xC2, 0xC6, 0xCA, 0xCE))
ALONE = frozenset((0x01, *range(0xD0, 0xD9)))
"""Markers without a segment."""
ICC = b"ICC_PROFILE\0"
BLOCK = 8
COEFFICIENT_BYTES = 2  # JCOEF of libjpeg


class Frame(Struct, frozen=True):
    """A frame header (B.2.2): whether it is progressive, the size, and the sampling factors."""

    is_progressive: bool
    width: int
    height: int
    sampling: tuple[tuple[int, int], ...]


class Stream(Struct, frozen=True):
    """A JPEG datastream, of a file or of a part of one: its frame, and its number of scans, at least 1."""

    frame: Frame
    scans: int
    has_coefficients: bool
    """Whether the decoder holds all coefficients of the frame, because several scans contribute to it."""

    @property
    def buffer_bytes(self) -> int:
        """Memory of the coefficients."""
        return _coefficients(self.frame) * COEFFICIENT_BYTES if self.has_coefficients else 0


def header(data: Buffer) -> Header:
    """Parse the header.

    Raises:
        ImageRefused: when it is damaged or too costly.
    """
    stream = read_stream(data, 0, len(data))
    frame = stream.frame
    return Header(
        width=frame.width,
        height=frame.height,
        bands=len(frame.sampling),
        whole_pixels=frame.width * frame.height if stream.has_coefficients else 0,
        buffer_bytes=stream.buffer_bytes,
    )


def read_stream(data: Buffer, at: int, stop: int) -> Stream:
    """Parse the datastream between two positions.

    Raises:
        ImageRefused: when it is damaged or too costly.
    """
    frame, profile = None, 0
    for marker, start, end in _segments(data, at, stop):
        if marker in FRAMES:
            frame = _frame(marker, data[start:end])
        elif marker == PROFILE and data[start : start + len(ICC)] == ICC:
            profile += end - start
            check_profile(profile)
        elif marker == SCAN and frame is not None:
            # Not all components are in the first scan: others follow.
            has_more = frame.is_progressive or data[start] < len(frame.sampling)
            return Stream(frame, _count_scans(data, end, stop) if has_more else 1, has_more)
    raise damaged()


def _segments(data: Buffer, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """Marker, and start and end of the content, of each segment.

    Bytes between segments are skipped, as libjpeg does.
    """
    at = start + 2
    for _ in range(MAX_SEGMENTS):
        found = MARKER.search(data, at, stop)
        if found is None:
            raise damaged()
        marker, at = data[found.end() - 1], found.end()
        if marker == END:
            raise damaged()
        if marker in ALONE:
            continue
        (length,) = struct.unpack_from(">H", data, at)
        yield marker, at + 2, at + length
        at += max(2, length)
    raise too_many("segments", MAX_SEGMENTS)


def _frame(marker: int, content: bytes) -> Frame:
    height, width, count = struct.unpack_from(">xHHB", content)
    if not (width and height and 0 < count <= MAX_COMPONENTS):
        raise damaged()
    factors = [content[6 + 3 * n + 1] for n in range(count)]
    sampling = tuple((factor >> 4, factor & 15) for factor in factors)
    if not all(horizontal and vertical for horizontal, vertical in sampling):
        raise damaged()
    return Frame(marker in PROGRESSIVE, width, height, sampling)


def _count_scans(data: Buffer, at: int, stop: int) -> int:
    """The number of scans, of which the first begins at `at`.

    Raises:
        ImageRefused: when it is too costly.
    """
    scans = 1
    for _ in range(MAX_SEGMENTS):
        found = AFTER_SCAN.search(data, at, stop)
        if found is None or data[found.end() - 1] == END:
            return scans
        marker, at = data[found.end() - 1], found.end()
        scans += marker == SCAN
        if scans > MAX_SCANS:
            raise too_many("scans", MAX_SCANS)
        if marker not in ALONE:
            at += max(2, int.from_bytes(data[at : at + 2]))
    raise too_many("segments", MAX_SEGMENTS)


def _coefficients(frame: Frame) -> int:
    """The DCT coefficients of all components, padded to whole minimum coded units (MCUs; A.2)."""
    mcu_width = BLOCK * max(horizontal for horizontal, _ in frame.sampling)
    mcu_height = BLOCK * max(vertical for _, vertical in frame.sampling)
    mcus = -(-frame.width // mcu_width) * -(-frame.height // mcu_height)
    return mcus * sum(horizontal * vertical for horizontal, vertical in frame.sampling) * BLOCK * BLOCK
