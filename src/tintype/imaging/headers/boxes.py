"""Boxes of ISO base media files (ISO/IEC 14496-12): of AVIF and HEIC, and of JPEG XL in its container."""

from collections.abc import Iterator

from msgspec import Struct

from tintype.imaging.errors import damaged
from tintype.imaging.headers.header import too_many
from tintype.imaging.source import Buffer

MAX_BOXES = 10_000
"""Maximum number of boxes in one box."""
HEAD_BYTES = 8


class Box(Struct, frozen=True):
    """The type of a box, and the start and end of its content; the end may be behind the end of the file."""

    kind: bytes
    start: int
    end: int


class Reader:
    """Reads consecutive big-endian numbers of a range.

    Attributes:
        at: the position of the next one.
    """

    def __init__(self, data: Buffer, start: int, end: int) -> None:
        self.at = start
        self._data, self._end = data, end

    def number(self, size: int) -> int:
        """A number of so many bytes.

        Raises:
            ImageRefused: damaged, behind the end of the range.
        """
        return int.from_bytes(self.take(size))

    def take(self, size: int) -> bytes:
        """So many bytes; raises like `number`."""
        start, self.at = self.at, self.at + size
        if self.at > self._end:
            raise damaged()
        return self._data[start : self.at]

    def rest(self) -> bytes:
        """The bytes that are left."""
        return self._data[self.at : self._end]


class FullReader(Reader):
    """Reads the content of a box that begins with a version and flags (4.2.2)."""

    def __init__(self, data: Buffer, box: Box) -> None:
        super().__init__(data, box.start, box.end)
        self.version, self.flags = self.number(1), self.number(3)


def boxes(data: Buffer, at: int, end: int, most: int = MAX_BOXES) -> Iterator[Box]:
    """The boxes in a range (4.2): a length of 0 means up to its end, 1 that a 64-bit length follows.

    The last box may say that it is longer than the range; a few bytes may follow it, but no whole head.

    Raises:
        ImageRefused: when a box is shorter than its head, or there are more than `most`.
    """
    for _ in range(most):
        if at + HEAD_BYTES > end:
            return
        head = Reader(data, at, end)
        length, kind = head.number(4), head.take(4)
        if length == 1:
            length = head.number(8)
        following = at + length if length else end
        if following < head.at:
            raise damaged()
        yield Box(kind, head.at, following)
        at = following
    raise too_many("boxes", most)


def cut_boxes(data: Buffer, at: int, end: int) -> Iterator[Box]:
    """The same, but the last box ends with the range."""
    return (Box(each.kind, each.start, min(each.end, end)) for each in boxes(data, at, end))


def whole_boxes(data: Buffer, at: int, end: int) -> Iterator[Box]:
    """The same.

    Raises:
        ImageRefused: also when the last box is longer than the range.
    """
    for box in boxes(data, at, end):
        if box.end > end:
            raise damaged()
        yield box
