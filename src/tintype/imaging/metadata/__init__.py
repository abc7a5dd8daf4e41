"""Strips metadata from originals: EXIF, GPS, XMP, IPTC and comments; pixels, colour and orientation stay.

Each format has a list of what is written, everything else is left out: the structure of the file is written
anew, the compressed pixels are copied byte for byte up to their end. What isn't understood is refused.
"""

import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType

from tintype.imaging.errors import ImageRefused, damaged
from tintype.imaging.formats import HEAD_BYTES, Format, sniff
from tintype.imaging.headers import jpeg as jpeg_headers
from tintype.imaging.headers import png as png_headers
from tintype.imaging.headers import read_header
from tintype.imaging.headers.header import MALFORMED
from tintype.imaging.metadata import bmp, gif, ico, isobmff, jpeg, jxl, png, svg, tiff, webp

__all__ = ["strip"]

STRIPPERS: Mapping[Format, Callable[[bytes], bytes]] = MappingProxyType(
    {
        Format.JPEG: jpeg.strip,
        Format.PNG: png.strip,
        Format.WEBP: webp.strip,
        Format.GIF: gif.strip,
        Format.TIFF: tiff.strip,
        Format.BMP: bmp.strip,
        Format.ICO: ico.strip,
        Format.AVIF: isobmff.strip,
        Format.HEIC: isobmff.strip,
        Format.JXL: jxl.strip,
        Format.SVG: lambda data: svg.strip(data, _strip_picture),
    }
)


ENDS: Mapping[Format, Callable[[bytes], bool]] = MappingProxyType(
    {Format.JPEG: jpeg_headers.lacks_end, Format.PNG: png_headers.lacks_end}
)
"""Whether the end of a file is missing; stripping writes it."""


def strip(data: bytes, format: Format) -> bytes:
    """The file without its metadata.

    It keeps pixels, the ICC profile and other colour information, transparency, frames, delays and loops of
    animations, and the orientation.

    Raises:
        ImageRefused: when the structure of the file is invalid.
    """
    try:
        stripped = STRIPPERS[format](data)
    except (*MALFORMED, zlib.error, StopIteration) as error:
        raise damaged() from error
    if (shape := _shape(data, format)) and _shape(stripped, format) != shape:
        # Decoders might read it otherwise than we do.
        raise damaged()
    return stripped


def _strip_picture(data: bytes) -> bytes:
    """A picture within an SVG without metadata; b"" if it is none.

    Raises:
        ImageRefused: as `strip`; also if it is an SVG again, or lacks its end: renderers may not draw that.
    """
    format = sniff(data[:HEAD_BYTES])
    if format is None:
        return b""
    if format is Format.SVG or (format in ENDS and ENDS[format](data)):
        raise damaged()
    return strip(data, format)


def _shape(data: bytes, format: Format) -> tuple[int, int, int] | None:
    """Width, height and frames; None if the file would be refused today (limits may have been higher)."""
    try:
        header = read_header(data, format)
    except ImageRefused:
        return None
    return header.width, header.height, header.frames
