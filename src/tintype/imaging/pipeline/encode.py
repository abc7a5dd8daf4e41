"""Pixels to a file: the saver of a format's row, and the options it is given."""

from collections.abc import Mapping

import pyvips

from tintype.imaging.codecs import jxl, png_saver
from tintype.imaging.codecs.palette import few_colours
from tintype.imaging.formats import Format, FormatSpec, Option
from tintype.imaging.recipe import Recipe

WORST_QUALITY = 10  # below it little is saved, and little is left to see


def encode(image: pyvips.Image, target: FormatSpec, recipe: Recipe) -> bytes:
    """The finished pixels as a file of the format, without metadata: what has no profile is sRGB.

    Args:
        image: upright, 8 bits a band, with alpha only where the format can be transparent; an animation has
            its frames one below the other, and says their height, their delays and its loops.
        target: the format's row; it has a saver.
        recipe: its `quality`, `lossless` and `max_bytes` are followed where the format can.

    Raises pyvips.Error when the pixels behind the image can't be read: nothing is decoded before this.
    """
    options = {**target.save_options, **_size_options(image, target), "keep": "none"}
    if target.format is Format.PNG:
        return png_saver.save(image, options, exact=recipe.lossless)
    if recipe.lossless and target.lossless is not None:
        return _save(image, target, {**options, **target.lossless})
    if target.quality is None:
        return _save(image, target, options)
    quality = recipe.quality or target.quality
    if recipe.max_bytes is not None:
        return _fit_max_bytes(image.copy_memory(), target, {**options, "Q": quality}, recipe.max_bytes)
    if recipe.quality is None and target.format is Format.WEBP:
        return _flat_or_photo(image, target, {**options, "Q": quality})
    return _save(image, target, {**options, "Q": quality})


def _size_options(image: pyvips.Image, target: FormatSpec) -> Mapping[str, Option]:
    """The options for so large a result: those of the last entry that isn't larger."""
    fitting = [options for least, options in target.size_options if image.width * image.height >= least]
    return fitting[-1] if fitting else {}


def _fit_max_bytes(
    image: pyvips.Image, target: FormatSpec, options: Mapping[str, Option], max_bytes: int
) -> bytes:
    """The file of the best quality, from that of the options down to 10, that has at most so many bytes.

    When none has, the one of quality 10: a picture that is a little too large serves better than none. The
    sides stay what was asked. At most 8 files are made, of the same pixels, and always the same ones.
    """
    low, high = WORST_QUALITY, int(options["Q"])
    best = _save(image, target, options)
    if len(best) <= max_bytes or high <= low:
        return best
    best = b""
    while high - low > 1:
        middle = (low + high) // 2
        data = _save(image, target, {**options, "Q": middle})
        if len(data) <= max_bytes:
            low, best = middle, data
        else:
            high = middle
    return best or _save(image, target, {**options, "Q": low})


def _flat_or_photo(image: pyvips.Image, target: FormatSpec, options: Mapping[str, Option]) -> bytes:
    """The file; without loss when that isn't larger, which is tried when there are few colours.

    Of a drawing, or text, the lossless file is sharper, and mostly much smaller too.
    """
    image, colours = few_colours(image)
    data = _save(image, target, options)
    if colours is None or target.lossless is None:
        return data
    return min(_save(image, target, {**options, **target.lossless}), data, key=len)


def _save(image: pyvips.Image, target: FormatSpec, options: Mapping[str, Option]) -> bytes:
    if target.package is not None:
        return jxl.write(image, options)
    data: bytes = getattr(image, f"{target.saver}_buffer")(**options)
    return data
