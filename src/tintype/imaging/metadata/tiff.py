"""TIFF 6.0 and BigTIFF: removes metadata entries from their directories, and zeroes their values."""

import struct

from msgspec import Struct

from tintype.imaging.errors import damaged
from tintype.imaging.headers.tiff import SIZES

METADATA = frozenset(
    (
        *(
            270,
            271,
            272,
            285,
            305,
            306,
            315,
            316,
            700,
            33432,
            33723,
            34377,
            34665,
            34853,
            37510,
            37724,
            40965,
        ),
        *range(40091, 40096),  # written by Windows Explorer
        *(42032, 42033, 42034, 42035, 42036, 42037, 50708, 50735),  # owners, lenses, serial numbers
    )
)
DIRECTORIES = frozenset((34665, 34853, 40965))
"""Tags that point to another directory: EXIF, GPS, interoperability."""
MAX_DIRECTORIES = 1000
MAX_ENTRIES = 4096


class Layout(Struct, frozen=True):
    """Struct formats, with byte order, of a count of entries, an entry, and an offset."""

    count: struct.Struct
    entry: struct.Struct
    offset: struct.Struct


def strip(data: bytes) -> bytes:
    """The file without metadata; all pages keep their orientation, resolution and colour.

    Raises:
        ImageRefused: when it is damaged.
    """
    layout, first = _layout(data)
    file = _File(bytearray(data), layout)
    (at,) = layout.offset.unpack_from(data, first)
    while at:
        at = file.strip_directory(at)
    return bytes(file.data)


def _layout(data: bytes) -> tuple[Layout, int]:
    """The layout, and the position of the first directory's offset."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    version = struct.unpack_from(f"{order}H", data, 2)[0] if order else 0
    if version == 42:  # noqa: PLR2004  the number of TIFF
        return Layout(
            struct.Struct(f"{order}H"), struct.Struct(f"{order}HHII"), struct.Struct(f"{order}I")
        ), 4
    if version == 43:  # noqa: PLR2004  the number of BigTIFF
        return Layout(
            struct.Struct(f"{order}Q"), struct.Struct(f"{order}HHQQ"), struct.Struct(f"{order}Q")
        ), 8
    raise damaged()


class _File:
    """A file whose directories are modified in place, each once."""

    def __init__(self, data: bytearray, layout: Layout) -> None:
        self.data = data
        self._layout = layout
        self._seen: set[int] = set()

    def strip_directory(self, at: int) -> int:
        """Remove the metadata entries of a directory; returns the offset of the next one."""
        layout, data = self._layout, self.data
        entries = self._entries(at)
        remaining = [
            bytes(data[position : position + layout.entry.size])
            for position, tag in entries
            if tag not in METADATA
        ]
        for position, tag in entries:
            if tag in METADATA:
                self._zero(position)
        start = at + layout.count.size
        end = start + layout.entry.size * len(entries)
        following = bytes(data[end : end + layout.offset.size])
        layout.count.pack_into(data, at, len(remaining))
        size_before = end + layout.offset.size - start
        data[start : start + size_before] = b"".join((*remaining, following)).ljust(size_before, b"\0")
        return int(layout.offset.unpack(following)[0])

    def _entries(self, at: int) -> list[tuple[int, int]]:
        """Position and tag of each entry of a directory."""
        (count,) = self._layout.count.unpack_from(self.data, at)
        if at in self._seen or len(self._seen) > MAX_DIRECTORIES or count > MAX_ENTRIES:
            raise damaged()
        self._seen.add(at)
        start, size = at + self._layout.count.size, self._layout.entry.size
        positions = range(start, start + count * size, size)
        return [(position, self._layout.entry.unpack_from(self.data, position)[0]) for position in positions]

    def _zero(self, position: int) -> None:
        """Zero an entry, its values, and the directory it points to."""
        layout = self._layout
        tag, kind, count, value = layout.entry.unpack_from(self.data, position)
        if tag in DIRECTORIES:
            for inner, _ in self._entries(value):
                self._zero(inner)
        size = SIZES.get(kind, 1) * count
        if size > layout.offset.size:
            if value + size > len(self.data):
                raise damaged()
            self.data[value : value + size] = bytes(size)
        self.data[position : position + layout.entry.size] = bytes(layout.entry.size)
