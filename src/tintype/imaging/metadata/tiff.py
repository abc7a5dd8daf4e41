"""TIFF 6.0 and BigTIFF: writes a new file with the entries that describe pixels, and with the pixels.

Strips and tiles are copied, without the bytes behind their end. SubIFDs, which are thumbnails, are not.
"""

import struct
from collections.abc import Iterator

from msgspec import Struct

from tintype.imaging.errors import damaged
from tintype.imaging.headers.tiff_directory import SIZES
from tintype.imaging.metadata.strips import CUTTERS
from tintype.imaging.metadata.tiff_entries import STRIPS, TILES, Entry, Page

STRIP_BYTES, TILE_BYTES = 279, 325
TIFF, BIG_TIFF = 42, 43
LONG, LONG8 = 4, 16
MAX_DIRECTORIES, MAX_ENTRIES = 1000, 4096
MAX_GROWTH = 2
"""Maximum size of the new file as a multiple of the old one's, in which entries can share their values."""


class Layout(Struct, frozen=True):
    """Byte order, position of the first offset, and struct formats: count of entries, entry, offset."""

    order: str
    link: int
    count: struct.Struct
    entry: struct.Struct
    offset: struct.Struct
    kind: int
    """The type of an entry with offsets."""


def strip(data: bytes) -> bytes:
    """The file without metadata; all pages keep their orientation, resolution and colour.

    Raises:
        ImageRefused: when it is damaged; also if its compression isn't known.
    """
    layout = _layout(data)
    file = _NewFile(data, layout)
    for entries in _directories(data, layout):
        file.add_page(entries)
    return bytes(file.data)


def _layout(data: bytes) -> Layout:
    order = {b"II": "<", b"MM": ">"}.get(data[:2], "")
    version = struct.unpack_from(f"{order}H", data, 2)[0] if order else 0
    if version == TIFF:
        return _layout_of(order, 4, ("H", "HHI4s", "I"), LONG)
    if version == BIG_TIFF:
        return _layout_of(order, 8, ("Q", "HHQ8s", "Q"), LONG8)
    raise damaged()


def _layout_of(order: str, link: int, formats: tuple[str, str, str], kind: int) -> Layout:
    count, entry, offset = (struct.Struct(order + form) for form in formats)
    return Layout(order, link, count, entry, offset, kind)


def _directories(data: bytes, layout: Layout) -> Iterator[dict[int, Entry]]:
    """The entries of each page by tag."""
    (at,) = layout.offset.unpack_from(data, layout.link)
    seen = set[int]()
    while at:
        (count,) = layout.count.unpack_from(data, at)
        if at in seen or len(seen) >= MAX_DIRECTORIES or count > MAX_ENTRIES:
            raise damaged()
        seen.add(at)
        start = at + layout.count.size
        end = start + count * layout.entry.size
        entries = dict(_entry(data, layout, position) for position in range(start, end, layout.entry.size))
        if len(entries) != count:
            # Decoders differ in which one of two they take.
            raise damaged()
        yield entries
        (at,) = layout.offset.unpack_from(data, end)


def _entry(data: bytes, layout: Layout, position: int) -> tuple[int, Entry]:
    tag, kind, count, values = layout.entry.unpack_from(data, position)
    size = SIZES.get(kind, 0) * count
    if size > layout.offset.size:
        (at,) = layout.offset.unpack(values)
        values = memoryview(data)[at : at + size]
        if len(values) != size:
            raise damaged()
    return tag, Entry(kind, count, values[:size])


class _NewFile:
    """A file that pages are added to."""

    def __init__(self, source: bytes, layout: Layout) -> None:
        self._source, self._layout = source, layout
        self._link = layout.link
        self.data = bytearray(source[: layout.link] + bytes(layout.offset.size))

    def add_page(self, entries: dict[int, Entry]) -> None:
        """Write the pixels of a page, the values of its entries, and its directory."""
        page = Page(entries, self._layout.order)
        kept = page.kept() | self._add_pixels(page)
        written = b"".join(self._add_entry(tag, kept[tag]) for tag in sorted(kept))
        at = self._add(self._layout.count.pack(len(kept)) + written + bytes(self._layout.offset.size))
        self._layout.offset.pack_into(self.data, self._link, at)
        self._link = len(self.data) - self._layout.offset.size

    def _add_pixels(self, page: Page) -> dict[int, Entry]:
        """The entries that tell where strips or tiles are."""
        places, sizes = (TILES, TILE_BYTES) if page.numbers(TILES) else (STRIPS, STRIP_BYTES)
        offsets, lengths = page.numbers(places), page.numbers(sizes)
        pieces = page.pieces(min(len(offsets), len(lengths)))
        if len(offsets) > len(pieces):
            # Some decoders draw the first of them, others the last.
            raise damaged()
        cut, starts, cut_lengths = CUTTERS[page.compression], [], []
        for at, length, pixels in zip(offsets, lengths, pieces, strict=False):
            piece = cut(self._piece(at, length), pixels)
            starts.append(self._add(piece))
            cut_lengths.append(len(piece))
        return {places: self._offsets(starts), sizes: self._offsets(cut_lengths)}

    def _piece(self, at: int, length: int) -> bytes:
        if not length or at + length > len(self._source):
            raise damaged()
        return self._source[at : at + length]

    def _offsets(self, numbers: list[int]) -> Entry:
        values = b"".join(map(self._layout.offset.pack, numbers))
        return Entry(self._layout.kind, len(numbers), values)

    def _add_entry(self, tag: int, entry: Entry) -> bytes:
        values = entry.values
        if len(values) > self._layout.offset.size:
            values = self._layout.offset.pack(self._add(values))
        return self._layout.entry.pack(tag, entry.kind, entry.count, values)

    def _add(self, content: bytes | memoryview) -> int:
        """Append at an even offset, which is returned."""
        self.data += bytes(len(self.data) % 2)
        if len(self.data) + len(content) > MAX_GROWTH * len(self._source):
            raise damaged()
        self.data += content
        return len(self.data) - len(content)
