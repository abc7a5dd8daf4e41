"""TIFF 6.0 and BigTIFF: checks the chain of directories before libtiff reads it; parses the first page."""

import struct
from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest

from msgspec import Struct

from tintype.imaging.errors import damaged
from tintype.imaging.headers import jpeg
from tintype.imaging.headers.header import Header, check_profile, too_many
from tintype.imaging.source import Buffer

MAX_DIRECTORIES = 1000
"""Maximum number of pages; only the first is shown, but libtiff counts all of them: 28 s for 800,000."""
MAX_ENTRIES = 4096
"""Maximum number of entries in a directory, as in libtiff; real ones have 20."""
MAX_TAG_BYTES = 64 * 1024 * 1024
"""Maximum size of the values of all entries; shared values count for each entry: libtiff reads them again."""

WIDTH, HEIGHT, BITS, COMPRESSION, SAMPLES = 256, 257, 258, 259, 277
STRIP_OFFSETS, STRIP_ROWS, STRIP_BYTES = 273, 278, 279
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_BYTES = 322, 323, 324, 325
PROFILE = 34675
OLD_JPEG, JPEG = 6, 7
SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
"""Bytes per value, by type of the entry."""
NUMBERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 16: "Q", 17: "q"}
MAX_PIECES = 100_000
"""Maximum number of strips or tiles whose sizes are read."""
MAX_MEAN_SCANS = 20
"""Maximum number of scans of a JPEG-compressed strip or tile, on average: sequential ones have at most one
for each component, progressive ones about 10. libtiff allows 100 in each: 13,000 took 19 s."""
SCANLINES = 128
"""libvips reads longer strips line by line, unless the compression doesn't allow it."""


BUFFER_FACTOR = 2.5
"""Memory of libvips per byte of a decoded strip or row of tiles; measured: 2.2."""


class Layout(Struct, frozen=True):
    """Byte order, struct formats of counts and offsets, and the position of the first offset."""

    order: str
    count: str
    offset: str
    first: int


class Entry(Struct, frozen=True):
    """Type, number and position of the values of an entry."""

    kind: int
    count: int
    at: int


def header(data: Buffer) -> Header:
    """Parse the first page; the others are counted.

    Raises:
        ImageRefused: when it is damaged or too costly.
    """
    layout = _layout(data)
    page = None
    bytes_left = MAX_TAG_BYTES
    for directory in _directories(data, layout):
        page = directory if page is None else page
        bytes_left -= sum(SIZES.get(entry.kind, 0) * entry.count for entry in directory.values())
        if bytes_left < 0:
            raise too_many("bytes of entries", MAX_TAG_BYTES)
        if PROFILE in directory:
            check_profile(directory[PROFILE].count)
    if page is None:
        raise damaged()
    return _first_page(_Page(data, layout, page))


class _Page:
    """The numeric entries of a directory."""

    def __init__(self, data: Buffer, layout: Layout, entries: dict[int, Entry]) -> None:
        self.data, self._layout, self._entries = data, layout, entries

    def number(self, tag: int, default: int) -> int:
        """The first value of an entry; `default` if it is missing."""
        return next(iter(self.numbers(tag, 1)), default)

    def numbers(self, tag: int, most: int) -> tuple[int, ...]:
        """Up to `most` values of an entry; () if it is missing or not numeric."""
        entry = self._entries.get(tag)
        if entry is None or entry.kind not in NUMBERS:
            return ()
        count = min(entry.count, most)
        return struct.unpack_from(f"{self._layout.order}{count}{NUMBERS[entry.kind]}", self.data, entry.at)

    def pieces(self) -> Iterator[tuple[int, int]]:
        """Start and end of each strip or tile that is there.

        Raises:
            ImageRefused: when there are both, or none, or it is too costly.
        """
        offsets = (self.numbers(STRIP_OFFSETS, MAX_PIECES + 1), self.numbers(TILE_OFFSETS, MAX_PIECES + 1))
        sizes = (*self.numbers(STRIP_BYTES, MAX_PIECES), *self.numbers(TILE_BYTES, MAX_PIECES))
        if all(offsets) or not any(offsets):
            raise damaged()
        starts = offsets[0] or offsets[1]
        if len(starts) > MAX_PIECES:
            raise too_many("strips or tiles", MAX_PIECES)
        for start, size in zip_longest(starts, sizes[: len(starts)], fillvalue=0):
            if start:
                # libtiff estimates a size that is missing.
                yield start, min(len(self.data), start + size) if size > 0 else len(self.data)

    def largest(self, tag: int) -> int:
        """The largest value of an entry, at most the size of the file."""
        return min(len(self.data), max(self.numbers(tag, MAX_PIECES), default=0))


def _layout(data: Buffer) -> Layout:
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    version = struct.unpack_from(f"{order}H", data, 2)[0] if order else 0
    match order, version:
        case str(), 42:
            return Layout(order, "H", "I", 4)
        case str(), 43:
            return Layout(order, "Q", "Q", 8)
    raise damaged()


def _directories(data: Buffer, layout: Layout) -> Iterator[dict[int, Entry]]:
    """The entries of each directory by tag.

    Raises:
        ImageRefused: when the chain has a loop, or it is too costly.
    """
    (at,) = struct.unpack_from(layout.order + layout.offset, data, layout.first)
    visited = set[int]()
    while at:
        if at in visited:
            raise damaged()
        visited.add(at)
        if len(visited) > MAX_DIRECTORIES:
            raise too_many("pages", MAX_DIRECTORIES)
        (count,) = struct.unpack_from(layout.order + layout.count, data, at)
        if count > MAX_ENTRIES:
            raise too_many("entries in a page", MAX_ENTRIES)
        start = at + struct.calcsize(layout.count)
        form = struct.Struct(f"{layout.order}HH{layout.offset}")
        size = form.size + struct.calcsize(layout.offset)
        # Backwards, as of several entries with the same tag libtiff takes the first.
        yield dict(_entry(data, layout, form, start + number * size) for number in reversed(range(count)))
        (at,) = struct.unpack_from(layout.order + layout.offset, data, start + count * size)


def _entry(data: Buffer, layout: Layout, form: struct.Struct, position: int) -> tuple[int, Entry]:
    tag, kind, count = form.unpack_from(data, position)
    at = position + form.size
    if SIZES.get(kind, 0) * count > struct.calcsize(layout.offset):
        (at,) = struct.unpack_from(layout.order + layout.offset, data, at)
    return tag, Entry(kind, count, at)


def _first_page(page: _Page) -> Header:
    width, height = page.number(WIDTH, 0), page.number(HEIGHT, 0)
    bands = page.number(SAMPLES, 1)
    if not (width and height and bands):
        raise damaged()
    pixels_at_once = _pixels_at_once(page, width, height)
    # Samples of less than 8 bits are expanded to bytes.
    buffer_bytes = round(pixels_at_once * bands * max(1, page.largest(BITS) / 8) * BUFFER_FACTOR)
    if page.number(COMPRESSION, 1) == JPEG:
        buffer_bytes += _check_jpegs(page)
    return Header(
        width=width,
        height=height,
        bands=bands,
        whole_pixels=pixels_at_once if pixels_at_once > SCANLINES * width else 0,
        buffer_bytes=buffer_bytes,
        file_bytes=max(page.largest(STRIP_BYTES), page.largest(TILE_BYTES)),
    )


def _check_jpegs(page: _Page) -> int:
    """Check the scans of JPEG-compressed strips or tiles; return the memory of the coefficients of one.

    Raises:
        ImageRefused: when it is damaged or too costly.
    """
    pieces = Counter(page.pieces())
    if sum(stop - start for start, stop in pieces) > 2 * len(page.data):
        # They overlap: reading all of them could take for ever.
        raise damaged()
    streams = {piece: jpeg.read_stream(page.data, *piece) for piece in pieces}
    most = max(jpeg.MAX_SCANS, MAX_MEAN_SCANS * pieces.total())
    if sum(streams[piece].scans * times for piece, times in pieces.items()) > most:
        raise too_many("scans", most)
    return max((stream.buffer_bytes for stream in streams.values()), default=0)


def _pixels_at_once(page: _Page, width: int, height: int) -> int:
    """The number of pixels that are decoded at once: a row of tiles, or a strip."""
    tile_width, tile_height = page.number(TILE_WIDTH, 0), page.number(TILE_HEIGHT, 0)
    if tile_width and tile_height:
        return -(-width // tile_width) * tile_width * tile_height
    rows = min(height, page.number(STRIP_ROWS, height) or height)
    by_lines = page.number(COMPRESSION, 1) not in {OLD_JPEG, JPEG}
    return width * (min(rows, SCANLINES) if by_lines else rows)
