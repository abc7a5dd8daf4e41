"""A walk along the chunks of a PNG, for what libvips doesn't look at: the frames of an APNG, and the end."""

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

from tintype.imaging.errors import damaged

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CRC_BYTES = 4


def frames(file: BinaryIO) -> int:
    """How many frames the PNG has: 1 unless an `acTL` chunk stands before the first `IDAT`.

    See https://www.w3.org/TR/png-3/#acTL-chunk. Nothing behind the first `IDAT` is read.
    """
    for kind, length in chunks(file):
        if kind == b"acTL" and length >= struct.calcsize(">I"):
            (count,) = struct.unpack(">I", file.read(4))
            return max(1, int(count))
        if kind == b"IDAT":
            break
    return 1


def check_complete(file: BinaryIO) -> None:
    """Raise ImageRefused (damaged) unless whole chunks lead up to `IEND`; nothing behind it matters."""
    for _ in chunks(file):
        pass


def chunks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """The type and the length of each chunk up to `IEND`, with the file standing at the chunk's data.

    Raises ImageRefused (damaged) when a chunk reaches beyond the end of the file or `IEND` doesn't come.
    """
    end = file.seek(0, os.SEEK_END)
    at = len(SIGNATURE)
    kind = b""
    while kind != b"IEND":
        file.seek(at)
        head = file.read(8)
        if len(head) < struct.calcsize(">I4s"):
            raise damaged()
        length, kind = struct.unpack(">I4s", head)
        at += len(head) + length + CRC_BYTES
        if at > end:
            raise damaged()
        yield kind, length
