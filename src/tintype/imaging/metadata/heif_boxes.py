"""Boxes of ISO base media files (ISO/IEC 14496-12): reading and writing."""

import struct
from collections.abc import Iterator

from msgspec import Struct

from tintype.imaging.errors import damaged

MAX_BOXES = 10_000


class Box(Struct, frozen=True):
    """The type of a box, and the start and end of its content."""

    kind: bytes
    start: int
    end: int


class Reader:
    """Reads consecutive big-endian numbers of a range."""

    def __init__(self, data: bytes, start: int, end: int) -> None:
        self._data, self._at, self._end = data, start, end

    def number(self, size: int) -> int:
        """A number of so many bytes.

        Raises:
            ImageRefused: damaged, behind the end of the range.
        """
        return int.from_bytes(self.take(size))

    def take(self, size: int) -> bytes:
        """So many bytes; raises like `number`."""
        start, self._at = self._at, self._at + size
        if self._at > self._end:
            raise damaged()
        return self._data[start : self._at]

    def rest(self) -> bytes:
        """The bytes that are left."""
        return self._data[self._at : self._end]


def boxes(data: bytes, at: int, end: int) -> Iterator[Box]:
    """The boxes in a range (4.2); length 0 means up to the end, 1 that a 64-bit length follows.

    Raises:
        ImageRefused: when it is damaged.
    """
    for _ in range(MAX_BOXES):
        if at + 8 > end:
            return
        length, kind = struct.unpack_from(">I4s", data, at)
        start = at + 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, start)
            start += 8
        following = at + length if length else end
        if not start <= following <= end:
            raise damaged()
        yield Box(kind, start, following)
        at = following
    raise damaged()


def unique(data: bytes, at: int, end: int) -> dict[bytes, Box]:
    """The boxes in a range by type.

    Raises:
        ImageRefused: when it is damaged; also if a type occurs twice: decoders differ in which one they take.
    """
    found = list(boxes(data, at, end))
    by_kind = {each.kind: each for each in found}
    if len(by_kind) != len(found):
        raise damaged()
    return by_kind


def box(kind: bytes, content: bytes) -> bytes:
    """A box."""
    return struct.pack(">I4s", 8 + len(content), kind) + content


def full_box(kind: bytes, content: bytes, version: int = 0, flags: int = 0) -> bytes:
    """A box with a version and flags (4.2.2)."""
    return box(kind, bytes((version,)) + flags.to_bytes(3) + content)
