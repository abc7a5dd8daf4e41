"""A source opened at a part of its size, where its decoder does that cheaply and well enough."""

import math

import pyvips
from msgspec import Struct

from tintype.imaging.codecs.vips import Source, open_image
from tintype.imaging.formats import Format
from tintype.imaging.image_info import ImageInfo
from tintype.imaging.recipe.geometry import Plan

# By what a JPEG can be divided, and how much longer than the result the source has to be for it. The rest of
# the way, 1.2 to 1.4 times, is resampled by us. Against resampling every pixel that leaves an SSIM of about
# 0.99 (0.98 when what is left is taken for whole pixels), for a third to a half less time.
JPEG_SHRINKS = ((8, 11.2), (4, 5.2), (2, 2.4))
# A WebP is decoded at any size: for the same likeness at twice the wanted. Below the least it saves nothing.
WEBP_MIN_SHRINK, WEBP_OVERSAMPLING = 4.0, 2.0
# The most that an SVG is drawn at: what is clipped of it can be many times what is left.
SVG_PIXELS = 40_000_000


class Loaded(Struct, frozen=True):
    """An opened picture, and how long a pixel of the source is in it, across and down.

    1 or less, but for an SVG, which is drawn at the size that is wanted.
    """

    image: pyvips.Image
    scale_x: float = 1.0
    scale_y: float = 1.0


def load(source: Source, info: ImageInfo, plan: Plan) -> Loaded:
    """Open a source as small as the plan (for the pixels as they are stored) allows; an SVG as large."""
    scale = decoded_scale(info, plan)
    if info.format is Format.JPEG:
        return Loaded(open_image(source, Format.JPEG, shrink=round(1 / scale)), scale, scale)
    if info.format is Format.SVG or scale != 1:
        image = open_image(source, info.format, scale=scale)
        return Loaded(image, image.width / plan.x.source, image.height / plan.y.source)
    return load_whole(source, info)


def load_whole(source: Source, info: ImageInfo) -> Loaded:
    """Open a source at its own size."""
    return Loaded(open_image(source, info.format))


def decoded_scale(info: ImageInfo, plan: Plan) -> float:
    """How many times its own size a source is decoded at for the plan."""
    ratio = min(part.length / part.scaled for part in (plan.x, plan.y))
    if info.format is Format.JPEG:
        return 1 / next((shrink for shrink, least in JPEG_SHRINKS if ratio >= least), 1)
    if info.format is Format.WEBP and not info.is_animated and ratio >= WEBP_MIN_SHRINK:
        return WEBP_OVERSAMPLING / ratio
    if info.format is Format.SVG:
        most = math.sqrt(SVG_PIXELS / (plan.x.source * plan.y.source))
        return min(1 / ratio, max(1.0, most))
    return 1.0
