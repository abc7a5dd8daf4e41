"""Estimates the memory that decoding or rendering takes, from the header: pure arithmetic.

The figures are the growth of a fresh process's peak memory (VmHWM), measured with images of 12 to 40
megapixels, photographs and noise, by libvips 8.18 and the codecs that come with it, and checked by
`tests/imaging/test_cost.py`. They are upper bounds: the exact memory depends on the pixels.
"""

from tintype.imaging.formats import Format, spec
from tintype.imaging.image_info import ImageInfo
from tintype.imaging.inspection import verify_shrink
from tintype.imaging.pipeline.animation import frame_count
from tintype.imaging.pipeline.draw import STREAMED
from tintype.imaging.pipeline.encoder_memory import encoder_bytes
from tintype.imaging.pipeline.load import decoded_scale
from tintype.imaging.recipe import Recipe
from tintype.imaging.recipe.auto import output_format
from tintype.imaging.recipe.geometry import OutputLimits, Plan, as_stored, plan
from tintype.imaging.whole_decoding import decoder_bytes, other_frames_bytes

BASE = 16_000_000
"""Bytes for any image: tables of the codecs, and buffers that don't grow with it."""

SVG_TREE = 90
"""Bytes of the parsed tree per byte of the file: 30 (one long path) to 74 (many small elements)."""

VERIFY_LINES = 1000
"""Lines of the source that verification buffers, 650 to 970."""
RENDER_LINES, LINES_PER_SHRINK, MAX_SHRINK = 900, 140, 16
"""Lines that resampling buffers: a constant, plus a number times the shrink factor, up to 16."""
LINEAR_LINES = 1000
"""Floating-point lines buffered by resampling in linear light: 500 to 950."""
FLOAT = 4
SMALL = Recipe(width=256, height=256)
"""A typical small rendition: hardly any rendition takes less memory."""
JOINED = 3
"""Bytes per pixel of all frames of an animation for the growing output file."""


def decode_memory(info: ImageInfo, recipe: Recipe | None = None, limits: OutputLimits | None = None) -> int:
    """The maximum memory, in bytes, to verify an image (no recipe) or to render it.

    Args:
        info: the properties that `inspect` found.
        recipe: the rendition; `auto` counts as the most expensive format.
        limits: on the result; they limit the number of frames.
    """
    if recipe is None:
        width = info.width / verify_shrink(info)
        return BASE + round(_decoder(info, 1.0, info.frames) + VERIFY_LINES * _line(info, width))
    planned = plan(info.width, info.height, recipe)
    stored = as_stored(planned, info.orientation)
    target = _target(info, recipe)
    size = (planned.width, planned.height)
    frames = frame_count(info, recipe, spec(target), size, limits or OutputLimits())
    scale = 1.0 if recipe.linear or frames > 1 else decoded_scale(info, stored)
    decoding = _decoder(info, scale, frames) + _resampling(info, stored, scale, linear=recipe.linear)
    return BASE + round(decoding + _result(info, recipe, target, planned, frames))


def intake_memory(info: ImageInfo) -> int:
    """The memory, in bytes, that accepting an image requires: to verify it, and to render it small later."""
    return max(decode_memory(info), decode_memory(info, SMALL))


def _decoder(info: ImageInfo, scale: float, frames: int) -> float:
    """Memory of the decoder, including the file."""
    tree = SVG_TREE * info.file_bytes if info.format is Format.SVG else 0
    # Optional packages get a copy of the file.
    copies = 1 if spec(info.format).loader else 2
    others = other_frames_bytes(info.format, info.width * info.height * info.bands, frames)
    return copies * info.file_bytes + info.buffer_bytes + _whole(info, scale) + tree + others


def _whole(info: ImageInfo, scale: float) -> float:
    """Memory of formats that are decoded as a whole, at this scale."""
    each = decoder_bytes(info.format, info.bits, has_alpha=info.has_alpha)
    return each * max(info.whole_pixels, info.width * info.height) * scale * scale


def _line(info: ImageInfo, width: float) -> float:
    """Bytes per line of the source."""
    return width * info.bands * info.bits / 8


def _resampling(info: ImageInfo, stored: Plan, scale: float, *, linear: bool) -> float:
    """Memory of the lines that resampling buffers, of the source or, if it is wider, of the result."""
    ratio = scale * max(part.length / part.scaled for part in (stored.x, stored.y))
    width = max(stored.x.length * scale, stored.x.scaled)
    if linear:
        return LINEAR_LINES * width * info.bands * FLOAT
    lines = RENDER_LINES + LINES_PER_SHRINK * min(MAX_SHRINK, ratio)
    return lines * _line(info, width)


def _result(info: ImageInfo, recipe: Recipe, target: Format, planned: Plan, frames: int) -> float:
    """Memory of copies of the result's pixels, and of the encoder."""
    pixels = planned.width * planned.height
    tried_as_opaque = info.has_alpha and info.format in STREAMED
    held = info.bands * (
        (info.orientation != 1) + (recipe.max_bytes is not None) + tried_as_opaque + (frames > 1) * frames
    )
    growing = JOINED * frames if frames > 1 else 0
    return pixels * (held + growing + encoder_bytes(target, recipe, has_alpha=info.has_alpha))


def _target(info: ImageInfo, recipe: Recipe) -> Format:
    return Format.AVIF if recipe.auto else output_format(info.format, recipe, has_alpha=info.has_alpha)
