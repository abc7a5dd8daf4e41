"""Memory of images that are decoded as a whole, before the first line is available: pure arithmetic.

The figures are measured like those of `pipeline/cost.py`: with images of 12 to 40 megapixels, photographs and
noise, by libvips 8.18 and the codecs that come with it. They are upper bounds.
"""

from collections.abc import Mapping
from types import MappingProxyType

from tintype.imaging.formats import Format

DECODERS: Mapping[Format, float] = MappingProxyType(
    {
        # 8.2 to 8.9 written, 13.7 allocated: the frame, the canvas, and libvips' copy of it.
        Format.WEBP: 14.0,
        Format.GIF: 10.0,  # 4.8 to 9: an RGBA canvas, and one to restore from
        # 14.2 to 19.5: the decoded image, and each step of its conversion to RGB; allocated at 4:4:4: 17.7
        Format.AVIF: 20.0,
        Format.HEIC: 8.0,  # 4.8 to 7.8
        Format.JXL: 10.0,  # 4 to 7.4 written, 10 allocated
        Format.SVG: 6.0,  # 8.1 with alpha: the surface, and the copy of it that is kept
    }
)
"""Bytes per pixel of decoders that always decode an image as a whole."""
ALPHA = 3.0
"""Bytes per pixel that an alpha channel adds to those: 0.6 to 3."""
DEEP_AVIF = 26.0
"""Bytes per pixel of an AVIF with 10 or 12 bits: 19 to 25.4."""
HOLDS_ALL_FRAMES = frozenset({Format.WEBP})
"""Formats whose frames are all decoded before the first is available."""
USUAL = 11.0
"""Bytes per pixel for which `max_whole_pixels` is meant; what takes more may have fewer pixels."""
SMALL_FRAME = 500_000
"""Bytes that each frame of an animation takes besides, in a small rendition."""
BUFFERED = 0.8
"""The share of the decoded pixels that is buffered besides, to shrink them."""


def decoder_bytes(format: Format, bits: int, *, has_alpha: bool) -> float:
    """Bytes per pixel of the decoder of a format that is always decoded as a whole; 0 for others."""
    if format not in DECODERS:
        return 0.0
    deep = format is Format.AVIF and bits > 8  # noqa: PLR2004  bits of a byte
    return (DEEP_AVIF if deep else DECODERS[format]) + ALPHA * has_alpha


def other_frames_bytes(format: Format, frame_bytes: int, frames: int) -> int:
    """Bytes of the frames after the first, where all are decoded at once."""
    return frame_bytes * (frames - 1) if format in HOLDS_ALL_FRAMES else 0
