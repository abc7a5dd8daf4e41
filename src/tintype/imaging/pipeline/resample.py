"""Resampling: Lanczos 3 to shrink, bicubic to enlarge, with premultiplied alpha."""

import pyvips

from tintype.imaging.pipeline.pixel_window import PixelWindow
from tintype.imaging.recipe.geometry import Size

INTEGERS = frozenset({"uchar", "ushort"})

# libvips convolves 8 bits so fast that Lanczos can do all of the shrinking; averaging blocks first, which is
# its default for all but the last factor of two, is slower there and shifts levels. Above the maximum too
# many lines of the source would be buffered, and other bit depths are slow: there blocks are averaged first.
MAX_LANCZOS_SHRINK, GAP_LARGE_SHRINK, GAP_OTHER_DEPTHS = 16, 4.0, 2.0
HEADROOM = 13 / 16
CACHED_LINES = 16


def resample(
    image: pyvips.Image, x: PixelWindow, y: PixelWindow, *, premultiply: bool = True
) -> pyvips.Image:
    """Resample the windows of both axes.

    Colours are premultiplied, so that edges get no fringe of the colour of transparent pixels; `premultiply`
    is False for an image whose alpha channel is opaque.
    """
    image = _extract_window(image, x, y)
    size = (x.scaled, y.scaled)
    if (image.width, image.height) != size:
        image = _premultiplied(image, size) if premultiply and image.hasalpha() else _scaled(image, size)
    wanted = (x.size, y.size)
    return image if size == wanted else image.crop(x.skip, y.skip, *wanted)


def _extract_window(image: pyvips.Image, x: PixelWindow, y: PixelWindow) -> pyvips.Image:
    """The pixels of the windows; edge pixels are repeated where a window extends beyond the image."""
    left, top = max(0, x.first), max(0, y.first)
    right = min(image.width, x.first + x.count)
    bottom = min(image.height, y.first + y.count)
    if (left, top, right, bottom) != (0, 0, image.width, image.height):
        image = image.crop(left, top, right - left, bottom - top)
    if (image.width, image.height) == (x.count, y.count):
        return image
    return image.embed(left - x.first, top - y.first, x.count, y.count, extend="copy")


def _premultiplied(image: pyvips.Image, size: Size) -> pyvips.Image:
    """Resize with premultiplied colours.

    At edges Lanczos overshoots full alpha, and the colours too; both must be kept until unpremultiplying, or
    the edge gets a bright rim. So 8-bit levels are scaled by `HEADROOM`. Enlarging is done in floating point,
    as it has few source pixels.
    """
    premultiplied = image.premultiply()
    if image.format == "uchar" and size[0] <= image.width and size[1] <= image.height:
        # Lanczos reads most lines more than once: they are buffered, so as not to be premultiplied again.
        narrow = (premultiplied * HEADROOM).rint().cast("uchar").sequential(tile_height=CACHED_LINES)
        premultiplied = _scaled(narrow, size) / HEADROOM
    else:
        premultiplied = _scaled(premultiplied, size)
    plain = premultiplied.unpremultiply()
    # cast() truncates, which would darken the image by half a level on average.
    return (plain.rint() if image.format in INTEGERS else plain).cast(image.format)


def _scaled(image: pyvips.Image, size: Size) -> pyvips.Image:
    return _enlarged(_shrunk(image, size), size)


def _shrunk(image: pyvips.Image, size: Size) -> pyvips.Image:
    """Shrink along the axes that are longer than the requested size."""
    scale_x, scale_y = min(1, size[0] / image.width), min(1, size[1] / image.height)
    if scale_x == scale_y == 1:
        return image
    return image.resize(scale_x, vscale=scale_y, gap=_gap(image.format, 1 / min(scale_x, scale_y)))


def _gap(format: str, shrink: float) -> float:
    """The `gap` of libvips' resize: the shrink left for Lanczos after block averaging; 0: no averaging."""
    if format != "uchar":
        return GAP_OTHER_DEPTHS
    return 0.0 if shrink <= MAX_LANCZOS_SHRINK else GAP_LARGE_SHRINK


def _enlarged(image: pyvips.Image, size: Size) -> pyvips.Image:
    """Enlarge along the axes that are shorter than the requested size.

    Not by libvips' `resize`, which shifts the result by half a pixel right and down (8.18): here the centre
    of pixel x of the result is at (x + 1/2) / scale - 1/2 of the image.
    """
    if (image.width, image.height) == size:
        return image
    return image.affine(
        [size[0] / image.width, 0, 0, size[1] / image.height],
        interpolate=pyvips.Interpolate.new("bicubic"),
        oarea=[0, 0, *size],
        idx=0.5,
        idy=0.5,
        odx=-0.5,
        ody=-0.5,
        extend="copy",
        premultiplied=True,
    )
