"""ICO (Windows icons): parses the directory, and the header of the largest picture, a PNG or a bitmap."""

import struct

from msgspec import Struct
from msgspec.structs import replace

from tintype.imaging.errors import damaged
from tintype.imaging.headers import bmp, png
from tintype.imaging.headers.header import Header
from tintype.imaging.source import Buffer

DIRECTORY, ENTRY = 6, 16
LARGEST = 256
"""The side for which 0 stands."""


class Entry(Struct, frozen=True):
    """A picture of an icon: size in pixels, bits of a pixel, and where it is."""

    width: int
    height: int
    bits: int
    at: int
    size: int


def header(data: Buffer) -> Header:
    """Parse the directory and the header of the largest picture.

    Raises:
        ImageRefused: when it is damaged, or of a kind that isn't read.
    """
    picture = content(data, largest(data))
    if picture.startswith(png.SIGNATURE):
        return replace(png.header(picture), frames=1, file_bytes=len(picture))
    bitmap = bmp.read_headers(picture, 0, is_icon=True)
    pixels = bitmap.width * bitmap.height
    return Header(
        width=bitmap.width,
        height=bitmap.height,
        has_alpha=True,
        bands=4,
        whole_pixels=pixels,
        buffer_bytes=8 * pixels,
        file_bytes=len(picture),
    )


def check_complete(data: Buffer) -> None:
    """Check that the largest picture is complete; a bitmap may lack its mask.

    Raises:
        ImageRefused: when it is damaged.
    """
    picture = content(data, largest(data))
    if picture.startswith(png.SIGNATURE):
        png.check_complete(picture)
    else:
        bmp.check_rows(picture, bmp.read_headers(picture, 0, is_icon=True))


def largest(data: Buffer) -> Entry:
    """The entry with the most pixels, of those the one with the most bits, as browsers take it."""
    return max(entries(data), key=lambda entry: (entry.width * entry.height, entry.bits))


def entries(data: Buffer) -> list[Entry]:
    """All entries.

    Raises:
        ImageRefused: when there are none.
    """
    (count,) = struct.unpack_from("<H", data, 4)
    if not count:
        raise damaged()
    return [_entry(data, DIRECTORY + ENTRY * number) for number in range(count)]


def content(data: Buffer, entry: Entry) -> bytes:
    """The bytes of a picture.

    Raises:
        ImageRefused: when they aren't all there.
    """
    picture = bytes(data[entry.at : entry.at + entry.size])
    if not entry.size or len(picture) < entry.size:
        raise damaged()
    return picture


def _entry(data: Buffer, at: int) -> Entry:
    width, height, _, _, _, bits, size, offset = struct.unpack_from("<BBBBHHII", data, at)
    return Entry(width or LARGEST, height or LARGEST, bits, offset, size)
