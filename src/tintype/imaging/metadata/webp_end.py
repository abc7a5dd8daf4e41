"""Finds the ends of the bitstreams of a WebP picture by decoding: a decoder fails if one is too short."""

import struct

from tintype.imaging.codecs.vips import decoding, open_image
from tintype.imaging.errors import ImageRefused, OutOfMemory, damaged
from tintype.imaging.formats import Format

Chunk = tuple[bytes, bytes]
"""Name and content."""

MARGIN = 8
"""Bytes that encoders write beyond what decoders need: up to 3 were found."""
HAS_ALPHA = 0x10


def without_surplus(chunks: list[Chunk], canvas: bytes) -> list[Chunk]:
    """The chunks of a picture, alpha and pixels, without the bytes behind their ends.

    Args:
        chunks: the chunks.
        canvas: width and height, as in a VP8X chunk; needed only if there is alpha.

    Raises:
        ImageRefused: when the ends can't be found.
    """
    for index, (name, content) in enumerate(chunks):
        chunks = [*chunks[:index], (name, content[: _length(chunks, index, canvas)]), *chunks[index + 1 :]]
    return chunks


def riff(chunks: list[Chunk]) -> bytes:
    """A file of these chunks."""
    body = b"".join(chunk(*each) for each in chunks)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def chunk(name: bytes, content: bytes) -> bytes:
    """A chunk, padded to an even length."""
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def _length(chunks: list[Chunk], index: int, canvas: bytes) -> int:
    name, content = chunks[index]

    def cut(length: int) -> bytes:
        before = [(b"VP8X", bytes((HAS_ALPHA, 0, 0, 0)) + canvas)] if len(chunks) > 1 else []
        return riff([*before, *chunks[:index], (name, content[:length]), *chunks[index + 1 :]])

    low, high = 0, len(content) - MARGIN
    if high <= 0 or not _is_decoded(cut(high)):
        return len(content)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _is_decoded(cut(middle)) else (middle + 1, high)
    for length in range(high, high + MARGIN):
        # The last pixels can be lost without an error.
        if _is_decoded(cut(length)) and _are_equal(cut(length), cut(len(content))):
            return length
    raise damaged()


def _is_decoded(data: bytes) -> bool:
    try:
        with decoding():
            open_image(data, Format.WEBP).avg()
    except OutOfMemory:
        raise
    except ImageRefused:
        return False
    return True


def _are_equal(one: bytes, other: bytes) -> bool:
    with decoding():
        difference = open_image(one, Format.WEBP) - open_image(other, Format.WEBP)
        return bool(difference.abs().max() == 0)
