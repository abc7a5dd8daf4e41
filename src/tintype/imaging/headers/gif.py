"""GIF (GIF89a): a walk along the blocks; libvips takes a file that is cut within one for a shorter one."""

import struct
from collections.abc import Iterator

from tintype.imaging.errors import damaged
from tintype.imaging.headers.header import Header, too_many
from tintype.imaging.source import Buffer

SCREEN, HEADER_BYTES = 6, 13
IMAGE_BYTES = 9
IMAGE, EXTENSION, TRAILER, PADDING = 0x2C, 0x21, 0x3B, 0x00
HAS_TABLE, TABLE_SIZE = 0x80, 0x07
MAX_BLOCKS = 2_000_000
"""Of all kinds, the pieces of 255 bytes that data is cut into among them: 500 MB of these."""


def header(data: Buffer) -> Header:
    """The size is the screen's, or what the frames need when that is more.

    Raises:
        ImageRefused: damaged, too costly.
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
        # Cut short: the frames up to there are what can be told.
        pass
    if not (width and height and frames):
        raise damaged()
    return Header(
        width=width, height=height, frames=frames, whole_pixels=width * height, file_bytes=len(data)
    )


def check_complete(data: Buffer) -> None:
    """Raise ImageRefused (damaged) unless all blocks are whole.

    What comes behind the trailer is no concern, nor are zero bytes between blocks, which some writers leave.
    Some leave the trailer out: a file that ends behind a whole image has lost nothing that could be shown.
    """
    last = kind = PADDING
    for kind, _ in _blocks(data):
        last = last if kind == PADDING else kind
    if last not in {TRAILER, IMAGE}:
        raise damaged()


def _blocks(data: Buffer) -> Iterator[tuple[int, int]]:
    """The kind of each block and where its content starts, up to the trailer or the end.

    Raises ImageRefused (damaged) for what is no block, IndexError where the file ends within one.
    """
    at = _skip_table(data, HEADER_BYTES, data[HEADER_BYTES - 3])
    left = MAX_BLOCKS
    while at < len(data):
        kind = data[at]
        yield kind, at + 1
        if kind == TRAILER:
            return
        if kind == IMAGE:
            start = _skip_table(data, at + 1 + IMAGE_BYTES, data[at + IMAGE_BYTES]) + 1  # the LZW code size
            at, left = _skip_sub_blocks(data, start, left)
        elif kind == EXTENSION:
            at, left = _skip_sub_blocks(data, at + 2, left)
        elif kind == PADDING:
            at, left = at + 1, left - 1
        else:
            raise damaged()
        if left <= 0:
            raise too_many("blocks", MAX_BLOCKS)


def _skip_table(data: Buffer, at: int, flags: int) -> int:
    """Behind the colour table, if the flags tell of one."""
    at += 3 << ((flags & TABLE_SIZE) + 1) if flags & HAS_TABLE else 0
    if at > len(data):
        raise IndexError
    return at


def _skip_sub_blocks(data: Buffer, at: int, left: int) -> tuple[int, int]:
    """Behind sub-blocks, each with its length in front, and the empty one; how many more there may be."""
    while length := data[at]:
        at += length + 1
        left -= 1
        if left <= 0:
            break
    return at + 1, left - 1
