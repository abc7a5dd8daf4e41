"""What our own code reads of a file before any codec does, so that a bomb is known by its header.

Everything that is followed is counted, and every count has an end.
"""

import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType

from tintype.imaging.errors import damaged
from tintype.imaging.formats import Format
from tintype.imaging.headers import gif, isobmff, jpeg, jxl, png, svg, tiff, webp
from tintype.imaging.headers.header import Header
from tintype.imaging.source import Buffer

__all__ = ["Header", "check_complete", "read_header"]

READERS: Mapping[Format, Callable[[Buffer], Header]] = MappingProxyType(
    {
        Format.JPEG: jpeg.header,
        Format.PNG: png.header,
        Format.WEBP: webp.header,
        Format.GIF: gif.header,
        Format.AVIF: isobmff.header,
        Format.TIFF: tiff.header,
        Format.HEIC: isobmff.header,
        Format.JXL: jxl.header,
        Format.SVG: svg.header,
    }
)

# What libvips doesn't see of a format's wholeness.
CHECKS: Mapping[Format, Callable[[Buffer], None]] = MappingProxyType(
    {Format.PNG: png.check_complete, Format.GIF: gif.check_complete}
)


def read_header(data: Buffer, format: Format) -> Header:
    """The header of a picture of the format.

    Raises:
        ImageRefused: damaged, unsupported, or too costly where there is more of something than is followed.
    """
    try:
        return READERS[format](data)
    except (struct.error, IndexError, OverflowError):
        # Offsets and lengths that lead out of the file.
        raise damaged() from None


def check_complete(data: Buffer, format: Format) -> None:
    """Raise ImageRefused (damaged) where the parts that the file consists of aren't all there, and whole."""
    check = CHECKS.get(format)
    if check is None:
        return
    try:
        check(data)
    except (struct.error, IndexError, OverflowError):
        raise damaged() from None
