"""GIF (GIF89a): iterates over the blocks; libvips accepts files that are truncated within a block."""

import struct
from collections.abc import Iterator

from msgspec import Struct

from tintype.imaging.errors import damaged
from tintype.imaging.headers.header import Header, too_many
from tintype.imaging.source import Buffer

SCREEN, HEADER_BYTES = 6, 13
IMAGE_BYTES = 9
IMAGE, EXTENSION, TRAILER, PADDING = 0x2C, 0x21, 0x3B, 0x00
GRAPHIC_CONTROL, CONTROL_BYTES = 0xF9, 4
HAS_TABLE, TABLE_SIZE = 0x80, 0x07
MAX_BLOCKS = 2_000_000
"""Maximum number of blocks and sub-blocks; data has up to 255 bytes per sub-block, so this is 500 MB."""


class Frame(Struct, frozen=True):
    """One image (section 20): its rectangle on the canvas in pixels, and where its parts are in the file.

    Attributes:
        start: the position of its descriptor, behind the separator.
        pixels: the position of its LZW code size, which the compressed pixels follow.
        control: the position of the four bytes of its graphic control extension (section 23); None if it has
            none.
    """

    start: int
    pixels: int
    control: int | None
    left: int
    top: int
    width: int
    height: int

    def covers(self, other: tuple[int, int, int, int]) -> bool:
        """Whether it covers a rectangle: left, top, width and height."""
        left, top, width, height = other
        return (
            self.left <= left
            and self.top <= top
            and self.left + self.width >= left + width
            and self.top + self.height >= top + height
        )


def header(data: Buffer) -> Header:
    """Parse the header. The size is the logical screen's, or that of the frames if it is larger.

    Raises:
        ImageRefused: when it is damaged or too costly.
    """
    width, height = struct.unpack_from("<HH", data, SCREEN)
    frames = 0
    try:
        for kind, at in _blocks(data):
            if kind == IMAGE:
                left, top, frame_width, frame_height = struct.unpack_from("<4H", data, at)
                frames += 1
                width, height = max(width, left + frame_width), max(height, top + frame_height)
    except (IndexError, struct.error):
        # Truncated: count the frames up to there.
        pass
    if not (width and height and frames):
        raise damaged()
    return Header(
        width=width, height=height, frames=frames, whole_pixels=width * height, file_bytes=len(data)
    )


def check_complete(data: Buffer) -> None:
    """Check that all blocks are complete.

    Bytes after the trailer are ignored, and so are zero bytes between blocks, which some writers leave. Some
    omit the trailer: a file that ends after a complete image is accepted.

    Raises:
        ImageRefused: when it is damaged.
    """
    last = kind = PADDING
    for kind, _ in _blocks(data):
        last = last if kind == PADDING else kind
    if last not in {TRAILER, IMAGE}:
        raise damaged()


def frames(data: Buffer) -> Iterator[Frame]:
    """The images of a file whose structure is complete.

    Raises:
        ImageRefused: when it is damaged or too costly.
        IndexError, struct.error: when the file ends within a block.
    """
    control = None
    for kind, at in _blocks(data):
        if kind == EXTENSION and data[at : at + 2] == bytes((GRAPHIC_CONTROL, CONTROL_BYTES)):
            control = at + 2
        elif kind == IMAGE:
            pixels = skip_table(data, at + IMAGE_BYTES, data[at + IMAGE_BYTES - 1])
            yield Frame(at, pixels, control, *struct.unpack_from("<4H", data, at))
            control = None


def sub_blocks_end(data: Buffer, at: int) -> int:
    """The position after the sub-blocks that begin here, and their terminator."""
    return _skip_sub_blocks(data, at, MAX_BLOCKS)[0]


def _blocks(data: Buffer) -> Iterator[tuple[int, int]]:
    """The kind of each block and the start of its content, up to the trailer or the end.

    Raises:
        ImageRefused: when a block is of unknown kind, or it is too costly.
        IndexError: when the file ends within a block.
    """
    at = skip_table(data, HEADER_BYTES, data[HEADER_BYTES - 3])
    blocks_left = MAX_BLOCKS
    while at < len(data):
        kind = data[at]
        yield kind, at + 1
        if kind == TRAILER:
            return
        if kind == IMAGE:
            start = skip_table(data, at + 1 + IMAGE_BYTES, data[at + IMAGE_BYTES]) + 1  # the LZW code size
            at, blocks_left = _skip_sub_blocks(data, start, blocks_left)
        elif kind == EXTENSION:
            at, blocks_left = _skip_sub_blocks(data, at + 2, blocks_left)
        elif kind == PADDING:
            at, blocks_left = at + 1, blocks_left - 1
        else:
            raise damaged()
        if blocks_left <= 0:
            raise too_many("blocks", MAX_BLOCKS)


def skip_table(data: Buffer, at: int, flags: int) -> int:
    """The position after the colour table, if the flags declare one."""
    at += 3 << ((flags & TABLE_SIZE) + 1) if flags & HAS_TABLE else 0
    if at > len(data):
        raise IndexError
    return at


def _skip_sub_blocks(data: Buffer, at: int, blocks_left: int) -> tuple[int, int]:
    """The position after the sub-blocks and their empty terminator; and how many more blocks are allowed."""
    while length := data[at]:
        at += length + 1
        blocks_left -= 1
        if blocks_left <= 0:
            break
    return at + 1, blocks_left - 1
