"""JPEG (ITU-T T.81, annex B): parses segments up to the first scan; in progressive files, all scans."""

import re
import struct
from collections.abc import Iterator

from msgspec import Struct

from tintype.imaging.errors import damaged, not_accepted
from tintype.imaging.headers.header import Header, check_profile, too_many
from tintype.imaging.source import Buffer

MAX_SEGMENTS = 5000
"""Maximum number of segments before the first scan, and between scans; 100 MB of XMP would be 1,600."""
MAX_SCANS = 100
"""Encoders write about 10, optimising ones up to 20. The decoder visits all pixels for each scan, however few
bytes it has: 17 kB of empty scans keep it busy for minutes."""
MAX_COMPONENTS = 4
BITS = 8
"""The bits of a sample; the others that T.81 knows, 12 and those of lossless files, browsers don't show."""

MARKER = re.compile(rb"\xff[^\x00\xff]")
AFTER_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""The end of a scan's data: any marker but a restart (B.1.1.5)."""
START = b"\xff\xd8"
SCAN, END, PROFILE, FIRST_APP = 0xDA, 0xD9, 0xE2, 0xE0
HEIGHT_AT = 1
"""Where the height is in the content of a frame header (B.2.2)."""
END_MARK = b"\xff\xd9"
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
PROGRESSIVE = frozenset((0xC2, 0xC6, 0xCA, 0xCE))
LOSSLESS = frozenset((0xC3, 0xC7, 0xCB, 0xCF))
"""Browsers don't show it, and it can't be decoded at a fraction of its size."""
HIERARCHICAL = frozenset((0xC5, 0xC6, 0xCD, 0xCE))
ALONE = frozenset((0x01, *range(0xD0, 0xD9)))
"""Markers without a segment."""
ICC = b"ICC_PROFILE\0"
BLOCK = 8
COEFFICIENTS = 64
COEFFICIENT_BYTES = 2  # JCOEF of libjpeg


class Frame(Struct, frozen=True):
    """A frame header (B.2.2): its marker, the bits of a sample, the size, and ids and sampling factors."""

    marker: int
    bits: int
    width: int
    height: int
    components: bytes
    sampling: tuple[tuple[int, int], ...]

    @property
    def is_progressive(self) -> bool:
        """Whether its scans refine each other."""
        return self.marker in PROGRESSIVE


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


class Layout(Struct, frozen=True):
    """Where the segments up to the first scan are, and what they say.

    Attributes:
        stream: the frame and its scans.
        segments: marker, start and end of the content of each; the last one is SOS.
    """

    stream: Stream
    segments: tuple[tuple[int, int, int], ...]

    @property
    def start(self) -> int:
        """Where the data of the first scan begins."""
        return self.segments[-1][2]

    @property
    def is_single_scan(self) -> bool:
        """Whether one scan contains the whole picture: nothing behind it is read."""
        return not self.stream.has_coefficients

    def head(self, data: Buffer, multiple: int) -> bytes:
        """The file up to `start`, with a height rounded up to a multiple of at most the size of a block.

        A decoder has to decode these rows in any case.
        """
        at = next(start for marker, start, _ in self.segments if marker in FRAMES) + HEIGHT_AT
        height = -(-self.stream.frame.height // multiple) * multiple
        return b"".join((data[:at], struct.pack(">H", height), data[at + 2 : self.start]))

    def bare_head(self, data: Buffer, multiple: int) -> bytes:
        """The same, but only with segments that are needed to decode the scans."""
        head = self.head(data, multiple)
        kept = (head[start - 4 : end] for marker, start, end in self.segments if marker < FIRST_APP)
        return b"".join((START, *kept))


def header(data: Buffer) -> Header:
    """Parse the header.

    Raises:
        ImageRefused: when it is damaged or too costly.
    """
    stream = read_stream(data, 0, len(data))
    frame = stream.frame
    _require_supported(frame)
    return Header(
        width=frame.width,
        height=frame.height,
        bands=len(frame.sampling),
        whole_pixels=frame.width * frame.height if stream.has_coefficients else 0,
        buffer_bytes=stream.buffer_bytes,
        file_bytes=len(data) if lacks_end(data) else 0,
    )


def lacks_end(data: Buffer) -> bool:
    """Whether the end mark, EOI, is missing behind the first scan. All the pixels may be there.

    Raises:
        ImageRefused: when it is damaged or too costly.
    """
    return data.rfind(END_MARK) < _first_scan(data)


def check_complete(data: Buffer) -> None:
    """Check that the scans bring all coefficients of all components, each to its last bit.

    Raises:
        ImageRefused: when it is damaged: a progressive file that ends between two scans has no other fault.
    """
    stream = read_stream(data, 0, len(data))
    if not stream.has_coefficients:
        return
    frame = stream.frame
    missing = {component: [1] * COEFFICIENTS for component in frame.components}
    for content in _scans(data):
        count = content[0]
        first, last, bits = content[1 + 2 * count : 4 + 2 * count]
        for component in content[1 : 1 + 2 * count : 2]:
            if component not in missing:
                raise damaged()
            if frame.is_progressive:
                missing[component][first : last + 1] = [bits & 15] * (last + 1 - first)
            else:
                missing[component] = []
    if any(any(bits) for bits in missing.values()):
        raise damaged()


def read_stream(data: Buffer, at: int, stop: int) -> Stream:
    """Parse the datastream between two positions.

    Raises:
        ImageRefused: when it is damaged or too costly.
    """
    return _layout(data, at, stop).stream


def layout(data: Buffer) -> Layout:
    """Parse the head of a file.

    Raises:
        ImageRefused: when it is damaged or too costly.
    """
    return _layout(data, 0, len(data))


def _layout(data: Buffer, at: int, stop: int) -> Layout:
    frame, profile, segments = None, 0, list[tuple[int, int, int]]()
    for marker, start, end in _segments(data, at, stop):
        segments.append((marker, start, end))
        if marker in FRAMES:
            frame = _frame(marker, data[start:end])
        elif marker == PROFILE and data[start : start + len(ICC)] == ICC:
            profile += end - start
            check_profile(profile)
        elif marker == SCAN and frame is not None:
            # Not all components are in the first scan: others follow.
            has_more = frame.is_progressive or data[start] < len(frame.sampling)
            stream = Stream(frame, _count_scans(data, end, stop) if has_more else 1, has_more)
            return Layout(stream, tuple(segments))
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


def _require_supported(frame: Frame) -> None:
    kind = None
    if frame.marker in LOSSLESS:
        kind = "Lossless JPEG"
    elif frame.marker in HIERARCHICAL:
        kind = "Hierarchical JPEG"
    elif frame.bits != BITS:
        kind = f"JPEG with {frame.bits} bits a sample"
    if kind is not None:
        raise not_accepted(kind)


def _first_scan(data: Buffer) -> int:
    """The position of the data of the first scan."""
    for marker, _, end in _segments(data, 0, len(data)):
        if marker == SCAN:
            return end
    raise damaged()


def _frame(marker: int, content: bytes) -> Frame:
    bits, height, width, count = struct.unpack_from(">BHHB", content)
    if not (width and height and 0 < count <= MAX_COMPONENTS):
        raise damaged()
    factors = [content[6 + 3 * n + 1] for n in range(count)]
    sampling = tuple((factor >> 4, factor & 15) for factor in factors)
    if not all(horizontal and vertical for horizontal, vertical in sampling):
        raise damaged()
    return Frame(marker, bits, width, height, content[6 : 6 + 3 * count : 3], sampling)


def _count_scans(data: Buffer, at: int, stop: int) -> int:
    """The number of scans, of which the first begins at `at`.

    Raises:
        ImageRefused: when it is too costly.
    """
    return 1 + sum(1 for _ in _further_scans(data, at, stop))


def _scans(data: Buffer) -> Iterator[bytes]:
    """The content of the header of each scan (B.2.3)."""
    for marker, start, end in _segments(data, 0, len(data)):
        if marker == SCAN:
            yield data[start:end]
            yield from _further_scans(data, end, len(data))
            return


def _further_scans(data: Buffer, at: int, stop: int) -> Iterator[bytes]:
    """The content of the header of each scan after the one whose data begins at `at`."""
    scans = 1
    for _ in range(MAX_SEGMENTS):
        found = AFTER_SCAN.search(data, at, stop)
        if found is None or data[found.end() - 1] == END:
            return
        marker, at = data[found.end() - 1], found.end()
        start = at + 2
        if marker not in ALONE:
            at += max(2, int.from_bytes(data[at : at + 2]))
        if marker == SCAN:
            yield data[start:at]
            scans += 1
        if scans > MAX_SCANS:
            raise too_many("scans", MAX_SCANS)
    raise too_many("segments", MAX_SEGMENTS)


def _coefficients(frame: Frame) -> int:
    """The DCT coefficients of all components, padded to whole minimum coded units (MCUs; A.2)."""
    mcu_width = BLOCK * max(horizontal for horizontal, _ in frame.sampling)
    mcu_height = BLOCK * max(vertical for _, vertical in frame.sampling)
    mcus = -(-frame.width // mcu_width) * -(-frame.height // mcu_height)
    return mcus * sum(horizontal * vertical for horizontal, vertical in frame.sampling) * BLOCK * BLOCK
