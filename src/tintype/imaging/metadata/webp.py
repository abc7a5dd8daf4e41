"""WebP (RFC 9649): keeps the chunks that affect rendering."""

import struct
from collections.abc import Iterator

from tintype.imaging.errors import damaged
from tintype.imaging.metadata import exif

KEPT = frozenset((b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"))
HAS_EXIF, HAS_XMP = 0x08, 0x04
FLAGS = 8
"""Position of the flags in a VP8X chunk, after its name and length."""
HEADER = 12
MAX_CHUNKS = 100_000


def strip(data: bytes) -> bytes:
    """The file without metadata; with a minimal EXIF chunk if the orientation isn't upright.

    Raises:
        ImageRefused: when it is damaged.
    """
    orientation = exif.UPRIGHT
    chunks: list[bytes] = []
    for kind, chunk in _chunks(data):
        if kind == b"EXIF":
            orientation = exif.orientation(chunk[8:].removeprefix(b"Exif\0\0"))
        elif kind in KEPT:
            chunks.append(chunk)
    if chunks and chunks[0].startswith(b"VP8X"):
        chunks[0] = _update_flags(chunks[0], has_exif=orientation != exif.UPRIGHT)
        if orientation != exif.UPRIGHT:
            chunks.append(_chunk(b"EXIF", exif.minimal(orientation)))
    body = b"".join(chunks)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def _update_flags(chunk: bytes, *, has_exif: bool) -> bytes:
    """The VP8X chunk with its EXIF and XMP flags updated."""
    flags = chunk[FLAGS] & ~(HAS_EXIF | HAS_XMP) | (HAS_EXIF if has_exif else 0)
    return chunk[:FLAGS] + bytes((flags,)) + chunk[FLAGS + 1 :]


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    magic, size, kind = struct.unpack_from("<4sI4s", data)
    if magic != b"RIFF" or kind != b"WEBP":
        raise damaged()
    at, end = HEADER, min(len(data), 8 + size)
    for _ in range(MAX_CHUNKS):
        if at + 8 > end:
            return
        name, length = struct.unpack_from("<4sI", data, at)
        following = at + 8 + length + length % 2
        yield name, data[at:following]
        at = following
    raise damaged()


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
