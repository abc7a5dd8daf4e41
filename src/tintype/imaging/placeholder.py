"""Placeholders that a page shows while an image loads: a ThumbHash, and the dominant colour."""

from base64 import b64encode
from collections import defaultdict

import pyvips

from tintype.imaging import thumbhash
from tintype.imaging.image_info import Placeholder

SIDE = 32
"""Longest side of the thumbnail: four pixels per period of the hash's finest coefficient."""
OPAQUE = 255
MIN_ALPHA = 128  # more transparent pixels don't count for the colour
SHADES = 32  # values of a band per shade: 8 shades per band
GREY_BANDS, RGB_BANDS = 2, 3  # at most, with alpha; at least, without
PROFILE = "icc-profile-data"


def placeholder(image: pyvips.Image) -> Placeholder:
    """The placeholder of a small image in memory, with the colours and orientation of its file."""
    small = _rgba(_upright(_thumbnail(image)))
    rgba = bytes(small.write_to_memory())
    hashed = thumbhash.encode(small.width, small.height, rgba)
    return Placeholder(thumbhash=b64encode(hashed).decode(), colour=_dominant(rgba))


def _thumbnail(image: pyvips.Image) -> pyvips.Image:
    """Shrink to at most `SIDE` pixels per side, by averaging."""
    if image.interpretation == "multiband":
        image = image.copy(interpretation="b-w" if image.bands <= GREY_BANDS else "srgb")
    longest = max(image.width, image.height)
    if longest <= SIDE:
        return image
    scale_x, scale_y = (max(1, round(side * SIDE / longest)) / side for side in (image.width, image.height))
    if not image.hasalpha():
        return image.resize(scale_x, vscale=scale_y, kernel="linear")
    format_ = image.format
    return image.premultiply().resize(scale_x, vscale=scale_y, kernel="linear").unpremultiply().cast(format_)


def _upright(image: pyvips.Image) -> pyvips.Image:
    return image.copy_memory().autorot()


def _rgba(image: pyvips.Image) -> pyvips.Image:
    """Four bands of 8 bits, in sRGB."""
    image = _srgb(image)
    if image.bands == RGB_BANDS:
        image = image.bandjoin(OPAQUE)
    return image.extract_band(0, n=RGB_BANDS + 1)


def _srgb(image: pyvips.Image) -> pyvips.Image:
    if image.get_typeof(PROFILE):
        try:
            image = image.icc_transform("srgb", embedded=True, intent="relative", depth=8).copy_memory()
        except pyvips.Error:
            image = image.copy()
            image.remove(PROFILE)
    return image.colourspace("srgb").cast("uchar")


def _dominant(rgba: bytes) -> str | None:
    shades = defaultdict(list)
    for pixel in zip(rgba[::4], rgba[1::4], rgba[2::4], rgba[3::4], strict=True):
        if pixel[3] >= MIN_ALPHA:
            shades[tuple(band // SHADES for band in pixel[:3])].append(pixel)
    if not shades:
        return None
    largest = max(shades.values(), key=len)
    red, green, blue, _ = (round(sum(band) / len(largest)) for band in zip(*largest, strict=True))
    return f"#{red:02x}{green:02x}{blue:02x}"
