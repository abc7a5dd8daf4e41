"""JPEG XL (ISO/IEC 18181-2): keeps the boxes of the codestream; a bare codestream has no metadata."""

import struct
from collections.abc import Iterator

from tintype.imaging.errors import damaged

SIGNATURE = b"\0\0\0\x0cJXL \r\n\x87\n"
KEPT = frozenset((b"JXL ", b"ftyp", b"jxll", b"jxli", b"jxlc", b"jxlp"))
"""Not `jbrd`: it only serves to reconstruct a JPEG, which would need the metadata."""
MAX_BOXES = 10_000


def strip(data: bytes) -> bytes:
    """The file without metadata; the orientation is part of the codestream.

    Raises:
        ImageRefused: when it is damaged.
    """
    if not data.startswith(SIGNATURE):
        return data
    return b"".join(box for kind, box in boxes(data) if kind in KEPT)


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and bytes of each box (ISO/IEC 14496-12, 4.2); length 0: up to the end, 1: a 64-bit length.

    Raises:
        ImageRefused: when it is damaged.
    """
    at = 0
    for _ in range(MAX_BOXES):
        if at >= len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, at)
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, at + 8)
        end = at + length if length else len(data)
        if not at + 8 <= end <= len(data):
            raise damaged()
        yield kind, data[at:end]
        at = end
    raise damaged()
