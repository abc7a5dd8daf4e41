"""Gives a TIFF another directory, of which libtiff reports no error, and that libvips reads rightly.

It has the entries that describe pixels, and is written behind a copy of the file, so that strips, tiles and
values stay where they are.
"""

import struct

from tintype.imaging.headers.tiff_directory import (
    BITS,
    COMPRESSION,
    EXTRA_SAMPLES,
    FILL_ORDER,
    ORIENTATION,
    PHOTOMETRIC,
    PLANAR,
    PROFILE,
    SAMPLE_FORMAT,
    SAMPLES,
    SHORT,
    SIZES,
    STRIP_BYTES,
    STRIP_OFFSETS,
    TILE_BYTES,
    TILE_OFFSETS,
    Entry,
    Page,
)
from tintype.imaging.headers.tiff_kind import ASSOCIATED, BLACK_IS_ZERO, RGB, UNASSOCIATED, Kind
from tintype.imaging.source import Buffer

COPIED = frozenset(
    (
        # Size; strips and their rows; predictor; colours of a palette; tiles; options of faxes.
        *(256, 257, STRIP_OFFSETS, 278, STRIP_BYTES, 317, 320, 322, 323, TILE_OFFSETS, TILE_BYTES, 292, 293),
        # Inks, tables of JPEG; coefficients, subsampling, position and reference of YCbCr.
        *(332, 347, 529, 530, 531, 532, PROFILE),
    )
)
"""Entries that are copied as they are."""
STRIP_ROWS = 278
LONG, LONG8 = 4, 16
LETTERS = {SHORT: "H", LONG: "I", LONG8: "Q"}
MAX_PIECES = 1_000_000
CONTIGUOUS = 1


def with_other_directory(data: Buffer, page: Page, kind: Kind) -> bytes:
    """The file with one page; or, if there are planes, with a grey page for each of them."""
    tail = _Tail(len(data), page)
    for plane in range(kind.samples) if kind.has_planes else (None,):
        entries = _described(kind, plane) | _copied(page)
        if plane is not None:
            entries |= _plane(page, kind, plane)
        tail.add_directory(entries)
    offset = struct.pack(page.layout.order + page.layout.offset, tail.first)
    at, file = page.layout.first, memoryview(data)
    # Joined at once: there is one copy of the file.
    return b"".join((file[:at], offset, file[at + len(offset) :], tail.data))


Values = Entry | tuple[int, tuple[int, ...]]
"""An entry whose values stay where they are; or a type and values."""


def _copied(page: Page) -> dict[int, Values]:
    """The entries that are kept, if their values are there."""
    kept: dict[int, Values] = {
        tag: page.entries[tag] for tag in COPIED & page.entries.keys() if _is_there(page, page.entries[tag])
    }
    for tag, values in ((FILL_ORDER, (1, 2)), (ORIENTATION, range(1, 9))):
        if (value := page.number(tag, 0)) in values:
            kept[tag] = (SHORT, (value,))
    return kept


def _is_there(page: Page, entry: Entry) -> bool:
    size = SIZES.get(entry.kind, 0) * entry.count
    return 0 < size <= len(page.data) - entry.at


def _described(kind: Kind, plane: int | None) -> dict[int, Values]:
    """What the samples are, as libvips should read them."""
    samples = kind.samples if plane is None else 1
    photometric = BLACK_IS_ZERO if plane is not None else kind.photometric or 0
    described: dict[int, Values] = {
        BITS: (SHORT, (kind.bits,) * samples),
        COMPRESSION: (SHORT, (kind.compression,)),
        PHOTOMETRIC: (SHORT, (RGB if kind.is_converted and plane is None else photometric,)),
        SAMPLES: (SHORT, (samples,)),
        PLANAR: (SHORT, (CONTIGUOUS,)),
        SAMPLE_FORMAT: (SHORT, (kind.format,) * samples),
    }
    if plane is None and kind.others > 0:
        alpha = ASSOCIATED if kind.is_premultiplied else UNASSOCIATED
        extras = tuple(alpha if at == kind.alpha else 0 for at in range(kind.others))
        described[EXTRA_SAMPLES] = (SHORT, extras)
    return described


def _plane(page: Page, kind: Kind, plane: int) -> dict[int, Values]:
    """Where the strips or tiles of a plane are: one plane after the other (tags 273, 324)."""
    rows = min(kind.height, page.number(STRIP_ROWS, kind.height) or kind.height)
    across, down = kind.tile or (kind.width, rows)
    count = -(-kind.width // across) * -(-kind.height // down)
    number = LONG8 if page.layout.offset == "Q" else LONG
    return {
        tag: (number, page.numbers(tag, MAX_PIECES)[plane * count : (plane + 1) * count])
        for tag in (STRIP_OFFSETS, STRIP_BYTES, TILE_OFFSETS, TILE_BYTES)
        if tag in page.entries
    }


class _Tail:
    """What is written behind the file; `first` is the position of the first directory."""

    def __init__(self, start: int, page: Page) -> None:
        self._start, self._page = start, page
        self._order, self._offset = page.layout.order, page.layout.offset
        self._room = struct.calcsize(self._offset)
        self.data, self.first, self._link = bytearray(), 0, 0

    def add_directory(self, entries: dict[int, Values]) -> None:
        """Append the values, then the directory, behind the one before."""
        form = struct.Struct(f"{self._order}HH{self._offset}{self._room}s")
        written = b"".join(form.pack(tag, *self._value(entries[tag])) for tag in sorted(entries))
        head = struct.pack(self._order + self._page.layout.count, len(entries))
        at = self._add(head + written + bytes(self._room))
        if self._link:
            self.data[self._link : self._link + self._room] = self._place(at)
        else:
            self.first = at
        self._link = len(self.data) - self._room

    def _value(self, entry: Values) -> tuple[int, int, bytes]:
        """Type, count, and values or where they are; if they are new and don't fit they are appended."""
        if isinstance(entry, Entry):
            size, at = SIZES[entry.kind] * entry.count, entry.at
            fits = size <= self._room
            values = self._page.data[at : at + size] if fits else self._place(at)
            return entry.kind, entry.count, values
        kind, numbers = entry
        values = struct.pack(f"{self._order}{len(numbers)}{LETTERS[kind]}", *numbers)
        return kind, len(numbers), values if len(values) <= self._room else self._place(self._add(values))

    def _place(self, at: int) -> bytes:
        return struct.pack(self._order + self._offset, at)

    def _add(self, data: bytes) -> int:
        """Append at an even offset of the file, which is returned."""
        self.data += bytes((self._start + len(self.data)) % 2)
        self.data += data
        return self._start + len(self.data) - len(data)
