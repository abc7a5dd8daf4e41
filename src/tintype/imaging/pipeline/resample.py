"""Pictures at other sizes: Lanczos 3 to shrink, bicubic to enlarge, colours weighed by their alpha."""

import pyvips

from tintype.imaging.pipeline.pixel_window import PixelWindow
from tintype.imaging.recipe.geometry import Size

INTEGERS = frozenset({"uchar", "ushort"})

# libvips convolves 8 bits so fast that the whole way can be Lanczos; averaging blocks first, which it does
# by itself for all but the last factor of two, is slower there and shifts levels. Beyond the longest way too
# many lines of the source would have to be held at once, and other depths are slow: averaged first.
MAX_LANCZOS_SHRINK, GAP_LARGE_SHRINK, GAP_OTHER_DEPTHS = 16, 4.0, 2.0
HEADROOM = 13 / 16
CACHED_LINES = 16


def resample(
    image: pyvips.Image, x: PixelWindow, y: PixelWindow, *, premultiply: bool = True
) -> pyvips.Image:
    """The pixels that the grids want.

    Colours are weighed by alpha, so that edges get no fringe of the colour behind what is transparent;
    `weigh` is False for a picture that has an alpha channel and is opaque.
    """
    image = _extract_window(image, x, y)
    size = (x.scaled, y.scaled)
    if (image.width, image.height) != size:
        image = _premultiplied(image, size) if premultiply and image.hasalpha() else _scaled(image, size)
    wanted = (x.size, y.size)
    return image if size == wanted else image.crop(x.skip, y.skip, *wanted)


def _extract_window(image: pyvips.Image, x: PixelWindow, y: PixelWindow) -> pyvips.Image:
    """The pixels that the grids take; the edge is repeated where they take more than there are."""
    left, top = max(0, x.first), max(0, y.first)
    right = min(image.width, x.first + x.count)
    bottom = min(image.height, y.first + y.count)
    if (left, top, right, bottom) != (0, 0, image.width, image.height):
        image = image.crop(left, top, right - left, bottom - top)
    if (image.width, image.height) == (x.count, y.count):
        return image
    return image.embed(left - x.first, top - y.first, x.count, y.count, extend="copy")


def _premultiplied(image: pyvips.Image, size: Size) -> pyvips.Image:
    """Resize with colours premultiplied.

    At an edge Lanczos swings beyond full alpha, and colours with it; both have to be kept until they are
    divided, or the edge gets a bright rim. So 8 bits are used up to `HEADROOM` only. To enlarge is done in
    floating point, where there is little to do.
    """
    premultiplied = image.premultiply()
    if image.format == "uchar" and size[0] <= image.width and size[1] <= image.height:
        # Lanczos looks at most lines more than once: they are held, so as not to be weighed again.
        narrow = (premultiplied * HEADROOM).rint().cast("uchar").sequential(tile_height=CACHED_LINES)
        premultiplied = _scaled(narrow, size) / HEADROOM
    else:
        premultiplied = _scaled(premultiplied, size)
    plain = premultiplied.unpremultiply()
    # cast() cuts fractions off, which would darken a picture by half a level.
    return (plain.rint() if image.format in INTEGERS else plain).cast(image.format)


def _scaled(image: pyvips.Image, size: Size) -> pyvips.Image:
    return _enlarged(_shrunk(image, size), size)


def _shrunk(image: pyvips.Image, size: Size) -> pyvips.Image:
    """Shrink the directions that are longer than the size."""
    scale_x, scale_y = min(1, size[0] / image.width), min(1, size[1] / image.height)
    if scale_x == scale_y == 1:
        return image
    return image.resize(scale_x, vscale=scale_y, gap=_gap(image.format, 1 / min(scale_x, scale_y)))


def _gap(format: str, shrink: float) -> float:
    """How much of the way Lanczos goes, as a factor; 0 is all of it. Whole blocks are averaged before."""
    if format != "uchar":
        return GAP_OTHER_DEPTHS
    return 0.0 if shrink <= MAX_LANCZOS_SHRINK else GAP_LARGE_SHRINK


def _enlarged(image: pyvips.Image, size: Size) -> pyvips.Image:
    """Enlarge the directions that are shorter than the size.

    Not by libvips' own `resize`, which sets what it enlarges half a pixel too far right and down (8.18): here
    pixel x of the result has its centre at (x + 1/2) / scale - 1/2 of the image.
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
