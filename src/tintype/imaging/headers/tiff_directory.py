"""Directories of TIFF 6.0 and BigTIFF: parses their entries, with limits, before libtiff does."""

import struct
from collections.abc import Iterator
from itertools import zip_longest

from msgspec import Struct

from tintype.imaging.errors import damaged
from tintype.imaging.headers.header import check_profile, too_many
from tintype.imaging.source import Buffer

MAX_DIRECTORIES = 1000
"""Maximum number of pages; only the first is shown, but libtiff counts all of them: 28 s for 800,000."""
MAX_ENTRIES = 4096
"""Maximum number of entries in a directory, as in libtiff; real ones have 20."""
MAX_TAG_BYTES = 64 * 1024 * 1024
"""Maximum size of the values of all entries; shared values count for each entry: libtiff reads them again."""
MAX_PIECES = 100_000
"""Maximum number of strips or tiles whose sizes are read."""

BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 258, 259, 262, 266
STRIP_OFFSETS, ORIENTATION, SAMPLES, STRIP_BYTES, PLANAR, RESOLUTION_UNIT = 273, 274, 277, 279, 284, 296
TILE_OFFSETS, TILE_BYTES, EXTRA_SAMPLES, SAMPLE_FORMAT = 324, 325, 338, 339
MIN_SAMPLE, MAX_SAMPLE, SMALLEST, LARGEST = 280, 281, 340, 341
JPEG_TABLES, PROFILE = 347, 34675
SHORT = 3
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
FRACTIONS = {5: "II", 10: "ii"}
REALS = {11: "f", 12: "d", **NUMBERS}

RANGES = {FILL_ORDER: (1, 2), ORIENTATION: (1, 8), RESOLUTION_UNIT: (1, 3), PLANAR: (1, 2)}
"""Entries of one value in a range; libtiff reports others as errors, some of them fatal."""
IRRITATING = frozenset((MIN_SAMPLE, MAX_SAMPLE, SMALLEST, LARGEST, 333, 334, 32996, 32997, 32998))
"""Entries that change no pixel of what we read (or that we apply ourselves), of which libtiff reports errors:
ranges of values, names and number of inks, an old data type, depth of the picture and its tiles."""
PER_SAMPLE = frozenset((BITS, SAMPLE_FORMAT))


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


class Page:
    """The entries of a directory by tag."""

    def __init__(self, data: Buffer, layout: Layout, entries: dict[int, Entry]) -> None:
        self.data, self.layout, self.entries = data, layout, entries

    def number(self, tag: int, default: int) -> int:
        """The first value of an entry; `default` if it is missing."""
        return next(iter(self.numbers(tag, 1)), default)

    def numbers(self, tag: int, most: int) -> tuple[int, ...]:
        """Up to `most` values of an entry; () if it is missing or not of integers."""
        entry = self.entries.get(tag)
        if entry is None or entry.kind not in NUMBERS:
            return ()
        count = min(entry.count, most)
        return struct.unpack_from(f"{self.layout.order}{count}{NUMBERS[entry.kind]}", self.data, entry.at)

    def reals(self, tag: int, most: int) -> tuple[float, ...]:
        """Up to `most` values of an entry, also fractions and floating point; () if it is missing."""
        entry = self.entries.get(tag)
        if entry is None:
            return ()
        count = min(entry.count, most)
        if entry.kind in FRACTIONS:
            form = self.layout.order + FRACTIONS[entry.kind] * count
            parts = struct.unpack_from(form, self.data, entry.at)
            return tuple(top / (bottom or 1) for top, bottom in zip(parts[::2], parts[1::2], strict=True))
        if entry.kind not in REALS:
            return ()
        return struct.unpack_from(f"{self.layout.order}{count}{REALS[entry.kind]}", self.data, entry.at)

    def content(self, tag: int) -> bytes:
        """The bytes of an entry; b"" if it is missing or they aren't all there."""
        entry = self.entries.get(tag)
        if entry is None:
            return b""
        size = SIZES.get(entry.kind, 0) * entry.count
        found = self.data[entry.at : entry.at + size]
        return found if len(found) == size else b""

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

    def is_plain(self) -> bool:
        """Whether libtiff certainly reports no error about any entry, which libvips takes for damage."""
        return all(self._is_plain(tag, entry) for tag, entry in self.entries.items())

    def _is_plain(self, tag: int, entry: Entry) -> bool:
        size = SIZES.get(entry.kind, 0) * entry.count
        if not size or entry.at + size > len(self.data) or tag in IRRITATING:
            return False
        if tag in RANGES:
            low, high = RANGES[tag]
            return (entry.kind, entry.count) == (SHORT, 1) and low <= self.number(tag, 0) <= high
        if tag in PER_SAMPLE:
            return entry.kind == SHORT and entry.count in {1, self.number(SAMPLES, 1)}
        if tag == EXTRA_SAMPLES:
            return entry.kind == SHORT and all(value in {0, 1, 2} for value in self.numbers(tag, MAX_PIECES))
        return True


def read_pages(data: Buffer) -> tuple[Page, bool]:
    """The first page; and whether all pages are plain, as libtiff reads the entries of all of them.

    Raises:
        ImageRefused: when it is damaged or too costly.
    """
    layout = _layout(data)
    first, plain, bytes_left = None, True, MAX_TAG_BYTES
    for entries in _directories(data, layout):
        page = Page(data, layout, entries)
        first = first or page
        bytes_left -= sum(SIZES.get(entry.kind, 0) * entry.count for entry in entries.values())
        if bytes_left < 0:
            raise too_many("bytes of entries", MAX_TAG_BYTES)
        if PROFILE in entries:
            check_profile(entries[PROFILE].count)
        plain = plain and page.is_plain()
    if first is None:
        raise damaged()
    return first, plain


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
