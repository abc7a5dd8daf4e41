"""Header parsers of our own, which run before any codec, to detect decompression bombs.

Every loop over untrusted data is bounded.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from tintype.imaging.errors import damaged
from tintype.imaging.formats import Format
from tintype.imaging.headers import bmp, gif, ico, isobmff, jpeg, jxl, png, svg, tiff, tiff_pieces, webp
from tintype.imaging.headers.header import MALFORMED, Header
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
        Format.BMP: bmp.header,
        Format.ICO: ico.header,
        Format.HEIC: isobmff.header,
        Format.JXL: jxl.header,
        Format.SVG: svg.header,
    }
)

# Completeness checks for formats where libvips doesn't notice truncation, or wrong checksums.
CHECKS: Mapping[Format, Callable[[Buffer], None]] = MappingProxyType(
    {
        Format.JPEG: jpeg.check_complete,
        Format.PNG: png.check_complete,
        Format.GIF: gif.check_complete,
        Format.TIFF: tiff_pieces.check_complete,
        Format.BMP: bmp.check_complete,
        Format.ICO: ico.check_complete,
    }
)


def read_header(data: Buffer, format: Format) -> Header:
    """Parse the header of a file of this format.

    Raises:
        ImageRefused: when it is damaged, unsupported, or has more of something than its limit.
    """
    try:
        return READERS[format](data)
    except MALFORMED:
        raise damaged() from None


def check_complete(data: Buffer, format: Format) -> None:
    """Check that the structure of the file is complete.

    Raises:
        ImageRefused: when it is damaged.
    """
    check = CHECKS.get(format)
    if check is None:
        return
    try:
        check(data)
    except MALFORMED:
        raise damaged() from None
