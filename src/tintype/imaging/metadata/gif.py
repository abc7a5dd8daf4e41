"""GIF (GIF89a): writes the screen, images with their control extensions, loops and the ICC profile."""

from collections.abc import Iterator

from tintype.imaging.errors import damaged
from tintype.imaging.headers.gif import (
    CONTROL_BYTES,
    EXTENSION,
    GRAPHIC_CONTROL,
    HEADER_BYTES,
    IMAGE,
    IMAGE_BYTES,
    PADDING,
    SCREEN,
    TRAILER,
    skip_table,
)
from tintype.imaging.metadata import icc
from tintype.imaging.metadata.lzw import used_bytes

SIGNATURES = (b"GIF87a", b"GIF89a")
COMMENT, APPLICATION = 0xFE, 0xFF
LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
LOOP_BYTES, KIND, IS_LOOP = 3, 0x07, 1
PROFILE = b"ICCRGBG1012"
MAX_SUB_BLOCK = 255


def strip(data: bytes) -> bytes:
    """The file without metadata.

    Raises:
        ImageRefused: when it is damaged.
    """
    if not data.startswith(SIGNATURES):
        raise damaged()
    start = skip_table(data, HEADER_BYTES, data[SCREEN + 4])
    return b"".join((data[:start], *_kept(data, start), bytes((TRAILER,))))


def _kept(data: bytes, at: int) -> Iterator[bytes]:
    while at < len(data) and data[at] != TRAILER:
        if data[at] == IMAGE:
            start = skip_table(data, at + 1 + IMAGE_BYTES, data[at + IMAGE_BYTES]) + 1
            pixels, end = _joined(data, start)
            if not pixels:
                raise damaged()
            used = used_bytes(pixels, data[start - 1], "little")
            yield data[at:start] + _in_sub_blocks(pixels[:used])
            at = end
        elif data[at] == EXTENSION:
            _, end = _joined(data, at + 2)
            yield _extension(data[at + 1], data, at + 2)
            at = end
        elif data[at] == PADDING:
            at += 1
        else:
            raise damaged()


def _extension(label: int, data: bytes, at: int) -> bytes:
    """An extension whose sub-blocks begin here, written anew; b"" if it doesn't affect rendering."""
    parts = _sub_blocks(data, at)
    name = next(parts, b"")
    head = bytes((EXTENSION, label))
    if not name and label != COMMENT:
        # Decoders go on at different places behind an extension without content.
        raise damaged()
    if label == GRAPHIC_CONTROL:
        if len(name) != CONTROL_BYTES:
            raise damaged()
        return head + _in_sub_blocks(name)
    if label != APPLICATION:
        return b""
    head += bytes((len(name),)) + name
    if name in LOOPS:
        loop = next((part for part in parts if len(part) == LOOP_BYTES and part[0] & KIND == IS_LOOP), b"")
        return head + _in_sub_blocks(loop) if loop else b""
    if name == PROFILE and (profile := icc.trim(_joined(data, at + 1 + len(name))[0])):
        return head + _in_sub_blocks(profile)
    return b""


def _sub_blocks(data: bytes, at: int) -> Iterator[bytes]:
    while length := data[at]:
        yield data[at + 1 : at + 1 + length]
        at += 1 + length


def _joined(data: bytes, at: int) -> tuple[bytes, int]:
    """The content of sub-blocks, and the position after their empty terminator."""
    # A list of them would take a hundred times their size.
    content = bytearray()
    while length := data[at]:
        content += data[at + 1 : at + 1 + length]
        at += 1 + length
    return bytes(content), at + 1


def _in_sub_blocks(content: bytes) -> bytes:
    pieces = (content[at : at + MAX_SUB_BLOCK] for at in range(0, len(content), MAX_SUB_BLOCK))
    return b"".join(bytes((len(piece),)) + piece for piece in pieces) + b"\0"
