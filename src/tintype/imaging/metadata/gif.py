"""GIF (GIF89a): removes comments, and application extensions that don't affect rendering."""

from collections.abc import Iterator

from tintype.imaging.errors import damaged

HEADER, SCREEN, IMAGE_DESCRIPTOR = 6, 7, 9
IMAGE, EXTENSION, TRAILER, PADDING = 0x2C, 0x21, 0x3B, 0x00
COMMENT, APPLICATION = 0xFE, 0xFF
HAS_TABLE, TABLE_SIZE = 0x80, 0x07
SHOWN = (b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012")
"""Application extensions that are kept: loops, and the ICC profile."""


def strip(data: bytes) -> bytes:
    """The file without metadata.

    Raises:
        ImageRefused: when it is damaged.
    """
    if data[:3] != b"GIF":
        raise damaged()
    start = _skip_table(data, HEADER + SCREEN, data[HEADER + 4])
    return data[:start] + b"".join(block for block in _blocks(data, start) if not _is_metadata(block))


def _blocks(data: bytes, at: int) -> Iterator[bytes]:
    while at < len(data):
        kind = data[at]
        if kind == IMAGE:
            end = _skip_table(data, at + 1 + IMAGE_DESCRIPTOR, data[at + IMAGE_DESCRIPTOR]) + 1
            end = _skip_sub_blocks(data, end)
        elif kind == EXTENSION:
            end = _skip_sub_blocks(data, at + 2)
        elif kind in {TRAILER, PADDING}:
            end = at + 1
        else:
            raise damaged()
        yield data[at:end]
        if kind == TRAILER:
            return
        at = end


def _is_metadata(block: bytes) -> bool:
    if block[0] != EXTENSION:
        return False
    return block[1] == COMMENT or (block[1] == APPLICATION and block[3:14] not in SHOWN)


def _skip_table(data: bytes, at: int, flags: int) -> int:
    size = 3 << ((flags & TABLE_SIZE) + 1) if flags & HAS_TABLE else 0
    if at + size > len(data):
        raise damaged()
    return at + size


def _skip_sub_blocks(data: bytes, at: int) -> int:
    """The position after the sub-blocks and their empty terminator."""
    while length := data[at]:
        at += 1 + length
    return at + 1
