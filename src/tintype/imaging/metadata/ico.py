"""ICO: writes every picture anew, a PNG or a bitmap with its mask, and the directory."""

import struct

from tintype.imaging.errors import damaged
from tintype.imaging.headers.bmp import Bitmap, read_headers
from tintype.imaging.headers.ico import DIRECTORY, ENTRY, content, entries
from tintype.imaging.headers.png import SIGNATURE
from tintype.imaging.metadata import bmp, png

MAX_PICTURES = 1000
OFFSET = 12


def strip(data: bytes) -> bytes:
    """The file without metadata.

    Raises:
        ImageRefused: when it is damaged.
    """
    found = entries(data)
    if len(found) > MAX_PICTURES:
        raise damaged()
    file = bytearray(data[: DIRECTORY + ENTRY * len(found)])
    for number, entry in enumerate(found):
        picture = _stripped(content(data, entry))
        struct.pack_into("<II", file, DIRECTORY + ENTRY * number + OFFSET - 4, len(picture), len(file))
        file += picture
        if len(file) > 2 * len(data):
            # Entries share a picture.
            raise damaged()
    return bytes(file)


def _stripped(picture: bytes) -> bytes:
    if picture.startswith(SIGNATURE):
        return png.strip(picture)
    bitmap = read_headers(picture, 0, is_icon=True)
    return bytes(bmp.headers(picture, bitmap)) + bmp.rows(picture, bitmap) + _mask(picture, bitmap)


def _mask(picture: bytes, bitmap: Bitmap) -> bytes:
    """The mask, with zeros for padding; b"" if it isn't all there."""
    stride, used = -(-bitmap.width // 32) * 4, -(-bitmap.width // 8)
    start = bitmap.pixels + bitmap.stride * bitmap.height
    if bitmap.is_run_length or start + stride * bitmap.height > len(picture):
        return b""
    starts = range(start, start + stride * bitmap.height, stride)
    return b"".join(picture[at : at + used] + bytes(stride - used) for at in starts)
