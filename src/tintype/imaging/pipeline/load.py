"""Shrink-on-load: opens a source at a fraction of its size, if its decoder does that fast and well enough."""

import math

import pyvips
from msgspec import Struct

from tintype.imaging.codecs.vips import Source, open_image
from tintype.imaging.formats import Format
from tintype.imaging.image_info import ImageInfo
from tintype.imaging.recipe.geometry import Plan

# Shrink factors of JPEG decoding, each with the least total shrink it is used for. The rest, a factor of 1.2
# to 1.4, is resampled by us. Compared to resampling all pixels the SSIM is about 0.99 (0.98 if the window is
# rounded to whole pixels), for a third to a half less time.
JPEG_SHRINKS = ((8, 11.2), (4, 5.2), (2, 2.4))
# A WebP can be decoded at any size: at twice the requested one the quality is the same as for JPEG. Below
# the least shrink it saves no time.
WEBP_MIN_SHRINK, WEBP_OVERSAMPLING = 4.0, 2.0
# The maximum size an SVG is drawn at: with a crop much of the drawing may lie outside the result.
SVG_PIXELS = 40_000_000


class Loaded(Struct, frozen=True):
    """An opened image, with its scale relative to the source along both axes.

    The scale is at most 1, except for an SVG, which is drawn at the needed size.
    """

    image: pyvips.Image
    scale_x: float = 1.0
    scale_y: float = 1.0


def load(source: Source, info: ImageInfo, plan: Plan) -> Loaded:
    """Open a source as small as the plan (for the stored pixels) allows; an SVG as large as needed."""
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
    """The scale at which a source is decoded for the plan."""
    ratio = min(part.length / part.scaled for part in (plan.x, plan.y))
    if info.format is Format.JPEG:
        return 1 / next((shrink for shrink, least in JPEG_SHRINKS if ratio >= least), 1)
    if info.format is Format.WEBP and not info.is_animated and ratio >= WEBP_MIN_SHRINK:
        return WEBP_OVERSAMPLING / ratio
    if info.format is Format.SVG:
        most = math.sqrt(SVG_PIXELS / (plan.x.source * plan.y.source))
        return min(1 / ratio, max(1.0, most))
    return 1.0
