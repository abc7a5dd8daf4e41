"""PNG (third edition): keeps the chunks that affect rendering."""

import struct
import zlib
from collections.abc import Iterator

from tintype.imaging.errors import damaged
from tintype.imaging.metadata import exif

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEPT = frozenset(
    b"IHDR PLTE IDAT IEND tRNS cHRM gAMA iCCP sBIT sRGB cICP mDCV cLLI bKGD pHYs acTL fcTL fdAT".split()
)
MAX_CHUNKS = 1_000_000


def strip(data: bytes) -> bytes:
    """The file without metadata; with a minimal `eXIf` chunk if the orientation isn't upright.

    Raises:
        ImageRefused: when it is damaged.
    """
    if not data.startswith(SIGNATURE):
        raise damaged()
    orientation = exif.UPRIGHT
    chunks: list[bytes] = []
    for kind, chunk in _chunks(data):
        if kind == b"eXIf":
            orientation = exif.orientation(chunk[8:-4])
        elif kind in KEPT:
            chunks.append(chunk)
    if orientation != exif.UPRIGHT:
        # After IHDR: it must precede the pixels (11.3.4.5).
        chunks.insert(1, _chunk(b"eXIf", exif.minimal(orientation)))
    return b"".join((SIGNATURE, *chunks))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        if at >= len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at : at + 12 + length]
        if kind == b"IEND":
            return
        at += 12 + length
    raise damaged()


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
