"""BMP: writes the headers, palette, rows of pixels and an embedded profile; nothing between or behind."""

import struct

from tintype.imaging.codecs.run_length import coded_end
from tintype.imaging.errors import damaged
from tintype.imaging.headers.bmp import EMBEDDED, FILE_HEADER, V4, V5, Bitmap, check_rows, read_bitmap
from tintype.imaging.metadata import icc

COLOUR_SPACE, PROFILE = 56, 112
"""Positions in a V4 header of the colour space; and in a V5 header of place and size of the profile."""
WINDOWS, LINKED = 0x57696E20, 0x4C494E4B
"""The colour space of Windows ("Win "), sRGB; a profile in another file (LINK), whose path would be told."""


def strip(data: bytes) -> bytes:
    """The file without metadata.

    Raises:
        ImageRefused: when it is damaged.
    """
    bitmap = read_bitmap(data)
    head, pixels = headers(data, bitmap), rows(data, bitmap)
    start, size = bitmap.profile
    profile = icc.trim(data[start : start + size])
    _set_profile(head, bitmap, len(head) + len(pixels), len(profile))
    body = bytes(head) + pixels + profile
    return struct.pack("<2sIII", b"BM", FILE_HEADER + len(body), 0, FILE_HEADER + len(head)) + body


def headers(data: bytes, bitmap: Bitmap) -> bytearray:
    """The second header, masks and palette.

    Raises:
        ImageRefused: when they aren't all there.
    """
    at, count, each = bitmap.palette
    head = bytearray(data[bitmap.header[0] : at + count * each])
    if len(head) != at + count * each - bitmap.header[0]:
        raise damaged()
    return head


def rows(data: bytes, bitmap: Bitmap) -> bytes:
    """The pixels up to their end, with zeros for padding.

    Raises:
        ImageRefused: when they aren't all there.
    """
    if bitmap.is_run_length:
        return data[bitmap.pixels : coded_end(data, bitmap)]
    check_rows(data, bitmap)
    padding = bytes(bitmap.stride - bitmap.row)
    starts = range(bitmap.pixels, bitmap.pixels + bitmap.stride * bitmap.height, bitmap.stride)
    return b"".join(data[at : at + bitmap.row] + padding for at in starts)


def _set_profile(head: bytearray, bitmap: Bitmap, at: int, size: int) -> None:
    """Say where the profile is now, or that there is none."""
    if bitmap.header[1] < V4:
        return
    (space,) = struct.unpack_from("<I", head, COLOUR_SPACE)
    if not size and space in {EMBEDDED, LINKED}:
        struct.pack_into("<I", head, COLOUR_SPACE, WINDOWS)
    if bitmap.header[1] == V5:
        struct.pack_into("<III", head, PROFILE, at if size else 0, size, 0)
