"""The result of a header parser, and the errors for exceeded limits."""

import struct

from msgspec import Struct

from tintype.imaging.colour_signal import ColourSignal
from tintype.imaging.errors import ImageRefused, Reason

MALFORMED = (struct.error, IndexError, ValueError, OverflowError)
"""What comes of offsets and lengths beyond the end of a file, and of fewer numbers than there should be."""

MAX_PROFILE_BYTES = 8 * 1024 * 1024
"""Maximum size of an ICC profile; the largest CMYK profiles have 3 MB."""


class Header(Struct, frozen=True, kw_only=True):
    """The properties in a header.

    Attributes:
        width, height: in pixels, as stored; after rotation if the decoder applies it itself (JXL).
        frames: number of frames that the file declares.
        has_alpha: whether there is alpha; set only for formats that libvips doesn't inspect (JXL, SVG).
        bands: channels, as far as the header says so.
        whole_pixels: pixels that are decoded before the first line is available: for most formats all, for
            TIFF a strip or a row of tiles if that is large; 0 if the file is decoded line by line.
        buffer_bytes: additional memory for decoding, if it depends on the file.
        file_bytes: bytes of the file that decoding keeps in memory at once.
        is_premultiplied: whether colours are stored multiplied by alpha.
        colour: the colour space, if it isn't sRGB and not said by an ICC profile; it has priority over one.
    """

    width: int
    height: int
    frames: int = 1
    has_alpha: bool = False
    bands: int = 3
    whole_pixels: int = 0
    buffer_bytes: int = 0
    file_bytes: int = 0
    is_premultiplied: bool = False
    colour: ColourSignal | None = None


def too_many(what: str, limit: int) -> ImageRefused:
    """The error for a file that has more of something than its limit."""
    return ImageRefused(Reason.TOO_COSTLY, f"The picture has more {what} than are accepted: {limit}.")


def check_profile(size: int) -> None:
    """Check the size of an ICC profile.

    Raises:
        ImageRefused: when it is too costly.
    """
    if size > MAX_PROFILE_BYTES:
        raise too_many("bytes of colour profile", MAX_PROFILE_BYTES)
