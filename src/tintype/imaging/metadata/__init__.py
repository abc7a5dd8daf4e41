"""Originals without their metadata: no EXIF, GPS, XMP, IPTC and comments; pixels, colour, orientation stay.

The file is rewritten around its pixel data, which is copied byte for byte and never decoded.
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
    """The file without what it tells besides the picture.

    Kept are the pixels, the colour profile and other colour information, transparency, the frames, delays and
    loops of animations, and the orientation.

    Raises:
        ImageRefused: damaged, where the structure of the file can't be followed.
    """
    try:
        stripped = STRIPPERS[format](data)
    except (struct.error, IndexError, ValueError, OverflowError) as error:
        # Offsets and lengths that lead out of the file.
        raise damaged() from error
    if (shape := _shape(data, format)) and _shape(stripped, format) != shape:
        # What was said to be metadata was a part of the picture too.
        raise damaged()
    return stripped


def _shape(data: bytes, format: Format) -> tuple[int, int, int] | None:
    """Width, height and frames; None of what came in when more was accepted than today."""
    try:
        header = read_header(data, format)
    except ImageRefused:
        return None
    return header.width, header.height, header.frames
