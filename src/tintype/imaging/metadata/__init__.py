"""Strips metadata from originals: EXIF, GPS, XMP, IPTC and comments; pixels, colour and orientation stay.

The file structure is rewritten; the compressed pixel data is copied byte for byte and never decoded.
"""

import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType

from tintype.imaging.errors import ImageRefused, damaged
from tintype.imaging.formats import Format
from tintype.imaging.headers import read_header
from tintype.imaging.metadata import gif, isobmff, jpeg, jxl, png, svg, tiff, webp

__all__ = ["strip"]

STRIPPERS: Mapping[Format, Callable[[bytes], bytes]] = MappingProxyType(
    {
        Format.JPEG: jpeg.strip,
        Format.PNG: png.strip,
        Format.WEBP: webp.strip,
        Format.GIF: gif.strip,
        Format.TIFF: tiff.strip,
        Format.AVIF: isobmff.strip,
        Format.HEIC: isobmff.strip,
        Format.JXL: jxl.strip,
        Format.SVG: svg.strip,
    }
)


def strip(data: bytes, format: Format) -> bytes:
    """The file without its metadata.

    It keeps pixels, the ICC profile and other colour information, transparency, frames, delays and loops of
    animations, and the orientation.

    Raises:
        ImageRefused: when the structure of the file is invalid.
    """
    try:
        stripped = STRIPPERS[format](data)
    except (struct.error, IndexError, ValueError, OverflowError) as error:
        # Offsets and lengths beyond the end of the file.
        raise damaged() from error
    if (shape := _shape(data, format)) and _shape(stripped, format) != shape:
        # The removed metadata overlapped with the image.
        raise damaged()
    return stripped


def _shape(data: bytes, format: Format) -> tuple[int, int, int] | None:
    """Width, height and frames; None if the file would be refused today (limits may have been higher)."""
    try:
        header = read_header(data, format)
    except ImageRefused:
        return None
    return header.width, header.height, header.frames
