"""ICO: the largest picture, a PNG or a bitmap with a mask."""

from collections.abc import Callable

import pyvips

from tintype.imaging.codecs import bmp
from tintype.imaging.headers import bmp as bitmaps
from tintype.imaging.headers import ico as headers
from tintype.imaging.headers import png
from tintype.imaging.source import Source, mapped

DEEP = 32
"""Bits of a pixel that has alpha."""
OPAQUE = 255
GREY_BANDS, RGB_BANDS = 2, 3


def read(source: Source, load_png: Callable[[bytes], pyvips.Image]) -> pyvips.Image:
    """Open the largest picture; a bitmap is RGBA.

    Raises:
        ImageRefused: when it is damaged, or of a kind that isn't read.
    """
    with mapped(source) as data:
        picture = headers.content(data, headers.largest(data))
    if picture.startswith(png.SIGNATURE):
        return load_png(picture)
    bitmap = bitmaps.read_headers(picture, 0, is_icon=True)
    image = bmp.draw(picture, bitmap)
    if bitmap.bits == DEEP and image[RGB_BANDS].max():
        return image
    # Without any alpha the mask counts, also for 32 bits.
    return image.extract_band(0, n=RGB_BANDS).bandjoin(_mask(picture, bitmap)).copy(interpretation="srgb")


def _mask(picture: bytes, bitmap: bitmaps.Bitmap) -> pyvips.Image:
    """Alpha by the mask, which has a bit for each pixel that is transparent; opaque if it isn't there."""
    stride = -(-bitmap.width // 32) * 4
    start = bitmap.pixels + bitmap.stride * bitmap.height
    if bitmap.is_run_length or start + stride * bitmap.height > len(picture):
        return pyvips.Image.black(bitmap.width, bitmap.height).invert()
    rows = bmp.packed_rows(picture, start, stride, bitmap.height)
    alpha = (bmp.unpacked(rows, 1, bitmap.width) == 0).cast("uchar")
    return alpha if bitmap.is_top_down else alpha.flipver()
