"""WebP (RFC 9649): writes the chunks that affect rendering, with lengths that the standard gives them."""

import struct
from collections.abc import Iterator

from msgspec import Struct

from tintype.imaging.errors import damaged
from tintype.imaging.headers import webp as headers
from tintype.imaging.metadata import exif, icc
from tintype.imaging.metadata.webp_end import Chunk, chunk, riff, without_surplus

BITSTREAMS = frozenset((b"VP8 ", b"VP8L"))
HAS_PROFILE, HAS_ALPHA, HAS_EXIF, IS_ANIMATED = 0x20, 0x10, 0x08, 0x02
CANVAS_BYTES, CANVAS_AT, CANVAS_END = 10, 4, 10
"""Length of VP8X, and where width and height of the canvas are in it (2.7)."""
ANIMATION_BYTES = 6
FRAME_FLAGS, KNOWN_FRAME_FLAGS = 15, 0x03
"""The last byte of the header in ANMF, and the bits in that which have a meaning (2.7.1.1)."""
EXIF = b"Exif\0\0"
SIZE_AT, SIZE_END = 6, 12
"""Where width and height of a frame are in ANMF, in the same form."""


class Canvas(Struct, frozen=True):
    """A VP8X chunk."""

    flags: int
    size: bytes


def strip(data: bytes) -> bytes:
    """The file without metadata; with a minimal EXIF chunk if the orientation isn't upright.

    Raises:
        ImageRefused: when it is damaged.
    """
    magic, size, kind = struct.unpack_from("<4sI4s", data)
    if magic != b"RIFF" or kind != b"WEBP":
        raise damaged()
    chunks = list(_chunks(data, headers.HEADER_BYTES, min(len(data), headers.CHUNK_BYTES + size)))
    if not chunks:
        raise damaged()
    return riff(list(_written(chunks)))


def _written(chunks: list[Chunk]) -> Iterator[Chunk]:
    if chunks[0][0] != b"VP8X":
        yield from _bitstream(chunks[:1], b"")
        return
    canvas = _canvas(chunks[0][1])
    profile = icc.trim(_first(chunks, b"ICCP")) if canvas.flags & HAS_PROFILE else b""
    orientation = exif.orientation(_first(chunks, b"EXIF").removeprefix(EXIF))
    flags = canvas.flags & (HAS_ALPHA | IS_ANIMATED | HAS_EXIF)
    flags = flags | HAS_PROFILE if profile else flags
    flags = flags & ~HAS_EXIF if orientation == exif.UPRIGHT else flags
    yield b"VP8X", bytes((flags, 0, 0, 0)) + canvas.size
    if profile:
        yield b"ICCP", profile
    yield from _frames(chunks) if flags & IS_ANIMATED else _bitstream(chunks, canvas.size)
    if orientation != exif.UPRIGHT:
        yield b"EXIF", exif.minimal(orientation)


def _canvas(content: bytes) -> Canvas:
    if len(content) < CANVAS_BYTES:
        raise damaged()
    return Canvas(content[0], content[CANVAS_AT:CANVAS_END])


def _first(chunks: list[Chunk], name: bytes) -> bytes:
    return next((content for each, content in chunks if each == name), b"")


def _bitstream(chunks: list[Chunk], canvas: bytes) -> list[Chunk]:
    """The chunk with the pixels, after the alpha of a lossy picture.

    Raises:
        ImageRefused: when there are no pixels.
    """
    alpha: list[Chunk] = []
    for name, content in chunks:
        if name == b"ALPH" and not alpha:
            alpha.append((name, content))
        elif name in BITSTREAMS:
            before = alpha if name == b"VP8 " else []
            return without_surplus([*before, (name, content)], canvas)
    raise damaged()


def _frames(chunks: list[Chunk]) -> Iterator[Chunk]:
    animation = _first(chunks, b"ANIM")[:ANIMATION_BYTES]
    if len(animation) != ANIMATION_BYTES:
        raise damaged()
    yield b"ANIM", animation
    for name, content in chunks:
        if name == b"ANMF":
            head = content[:FRAME_FLAGS] + bytes((content[FRAME_FLAGS] & KNOWN_FRAME_FLAGS,))
            inner = _bitstream(
                list(_chunks(content, headers.FRAME_BYTES, len(content))), head[SIZE_AT:SIZE_END]
            )
            yield name, head + b"".join(chunk(*each) for each in inner)


def _chunks(data: bytes, at: int, end: int) -> Iterator[Chunk]:
    for name, start, stop in headers.chunks(data, at, end):
        if stop > end:
            raise damaged()
        yield name, data[start:stop]
