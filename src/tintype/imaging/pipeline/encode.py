"""Encoding: the saver of the format, and its options."""

from collections.abc import Mapping

import pyvips

from tintype.imaging.codecs import jxl, png_saver
from tintype.imaging.codecs.palette import few_colours
from tintype.imaging.formats import Format, FormatSpec, Option
from tintype.imaging.recipe import Recipe

VP8X_FLAGS, ALPHA_FLAG = 20, 0x10
WORST_QUALITY = 10  # lower qualities save few bytes, and look unusable


def encode(image: pyvips.Image, target: FormatSpec, recipe: Recipe) -> bytes:
    """Encode the pixels as a file of the format, without metadata and profile (so it is sRGB).

    Args:
        image: upright, 8 bits per band, with alpha only if the format has it; an animation is a strip of
            frames, with metadata for their height, delays and loops.
        target: the format; it has a saver.
        recipe: its `quality`, `lossless` and `max_bytes` apply if the format supports them.

    Raises:
        pyvips.Error: when the source can't be decoded, which happens only now.
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
    """The format's options for the size of the result."""
    fitting = [options for least, options in target.size_options if image.width * image.height >= least]
    return fitting[-1] if fitting else {}


def _fit_max_bytes(
    image: pyvips.Image, target: FormatSpec, options: Mapping[str, Option], max_bytes: int
) -> bytes:
    """The file with the highest quality, from that of the options down to 10, of at most `max_bytes`.

    If none is small enough, the one with quality 10: an image that is a little too large is better than none.
    A bisection, so at most 8 files are encoded, and the result is deterministic.
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
    """The lossy or the lossless file, whichever is smaller; lossless is tried only if there are few colours.

    Lossless drawings and texts are sharper, and mostly much smaller too.
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
    return _with_alpha_flag(data) if target.format is Format.WEBP and image.hasalpha() else data


def _with_alpha_flag(data: bytes) -> bytes:
    """A WebP whose header (RFC 9649, 2.7) says that it has alpha, if it says anything.

    libwebp doesn't say so of an animation whose frames are opaque, although what they uncover is transparent.
    """
    if data[12:16] != b"VP8X":
        return data
    return data[:VP8X_FLAGS] + bytes((data[VP8X_FLAGS] | ALPHA_FLAG,)) + data[VP8X_FLAGS + 1 :]
