"""AVIF and HEIC (ISO/IEC 23008-12): overwrites EXIF and XMP items in place, so that no offset changes."""

import struct
from collections.abc import Iterator

from msgspec import Struct

from tintype.imaging.errors import damaged

FREE, UNUSED = b"free", b"skip"
METADATA = frozenset((b"Exif", b"mime", b"uri "))
METADATA_BOXES = frozenset((b"uuid", b"udta"))
"""Boxes with metadata only: XMP of some writers, and names of tracks."""
CONTAINERS = frozenset((b"moov", b"trak", b"mdia", b"minf", b"stbl"))
IN_FILE, IN_IDAT = 0, 1
MAX_BOXES = 10_000
MAX_ITEMS = 10_000
MAX_DEPTH = 8


class Box(Struct, frozen=True):
    """A box: its type, its start, the start of its content, and its end."""

    kind: bytes
    start: int
    body: int
    end: int


def strip(data: bytes) -> bytes:
    """The file without metadata; the orientation is a property of the image item, and stays.

    Raises:
        ImageRefused: when it is damaged.
    """
    stripped = bytearray(data)
    _zero_boxes(stripped, Box(b"", 0, 0, len(data)))
    for box in _boxes(data, 0, len(data)):
        if box.kind == b"meta":
            _zero_items(stripped, box)
    return bytes(stripped)


def _zero_boxes(data: bytearray, within: Box, depth: int = 0) -> None:
    if depth > MAX_DEPTH:
        raise damaged()
    for box in _boxes(data, within.body, within.end):
        if box.kind in METADATA_BOXES:
            data[box.start + 4 : box.start + 8] = FREE
            data[box.body : box.end] = bytes(box.end - box.body)
        elif box.kind in CONTAINERS:
            _zero_boxes(data, box, depth + 1)


def _zero_items(data: bytearray, meta: Box) -> None:
    # A version and flags come before its boxes (14496-12, 8.11.1).
    inner = {box.kind: box for box in _boxes(data, meta.body + 4, meta.end)}
    if b"iinf" not in inner or b"iloc" not in inner:
        return
    emptied = set(_mark_unused(data, inner[b"iinf"]))
    idat = inner.get(b"idat")
    for item, method, offset, length in _extents(data, inner[b"iloc"]):
        if item in emptied and method in {IN_FILE, IN_IDAT}:
            start = offset + (idat.body if method == IN_IDAT and idat else 0)
            if start + length > len(data):
                raise damaged()
            data[start : start + (length or 0)] = bytes(length)


def _mark_unused(data: bytearray, iinf: Box) -> Iterator[int]:
    """Change the type of metadata items to an unused one; yields their numbers (8.11.6)."""
    counted = 4 if data[iinf.body] else 2
    for box in _boxes(data, iinf.body + 4 + counted, iinf.end):
        version = data[box.body]
        wide = 4 if version > 2 else 2  # noqa: PLR2004  the version with long numbers
        at = box.body + 4 + wide + 2
        if box.kind == b"infe" and version > 1 and bytes(data[at : at + 4]) in METADATA:
            data[at : at + 4] = UNUSED
            # Overwrite the name and content type after the item type.
            data[at + 4 : box.end] = bytes(box.end - at - 4)
            yield int.from_bytes(data[box.body + 4 : box.body + 4 + wide])


def _extents(data: bytearray, iloc: Box) -> Iterator[tuple[int, int, int, int]]:
    """Item, construction method, offset and length of every extent (8.11.3)."""
    reader = _Reader(data, iloc.body, iloc.end)
    version = reader.number(4) >> 24
    sizes = reader.number(2)
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    wide = 4 if version > 1 else 2
    for _ in range(min(reader.number(wide), MAX_ITEMS)):
        item = reader.number(wide)
        method = reader.number(2) & 15 if version else IN_FILE
        reader.number(2)
        base = reader.number(base_size)
        for _ in range(min(reader.number(2), MAX_ITEMS)):
            reader.number(index_size if version else 0)
            offset = reader.number(offset_size)
            yield item, method, base + offset, reader.number(length_size)


class _Reader:
    """Reads consecutive big-endian numbers."""

    def __init__(self, data: bytearray, at: int, end: int) -> None:
        self._data = data
        self._at = at
        self._end = end

    def number(self, size: int) -> int:
        start, self._at = self._at, self._at + size
        if self._at > self._end:
            raise damaged()
        return int.from_bytes(self._data[start : self._at])


def _boxes(data: bytes | bytearray, at: int, end: int) -> Iterator[Box]:
    """The boxes in a range (4.2); length 0 means up to the end, 1 that a 64-bit length follows."""
    for _ in range(MAX_BOXES):
        if at + 8 > end:
            return
        length, kind = struct.unpack_from(">I4s", data, at)
        body = at + 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, body)
            body += 8
        following = at + length if length else end
        if not body <= following <= end:
            raise damaged()
        yield Box(kind, at, body, following)
        at = following
    raise damaged()
