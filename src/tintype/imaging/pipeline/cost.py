"""What a picture will cost, told from its header: arithmetic and no pixels.

The figures are the growth of a fresh process's peak memory (VmHWM), measured with pictures of 12 to 40
megapixels, photographs and noise, by libvips 8.18 and the codecs that come with it, and measured again by
`tests/imaging/test_cost.py`. They are upper bounds: what a file takes depends on pixels that nobody has seen.
"""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

from tintype.imaging.formats import Format, spec
from tintype.imaging.image_info import ImageInfo
from tintype.imaging.pipeline.animation import frame_count
from tintype.imaging.pipeline.draw import STREAMED
from tintype.imaging.pipeline.load import decoded_scale
from tintype.imaging.recipe import Recipe
from tintype.imaging.recipe.auto import output_format
from tintype.imaging.recipe.geometry import OutputLimits, Plan, as_stored, plan

BASE = 16_000_000
"""Bytes that any picture may take: tables of the codecs, buffers that don't grow with it."""

DECODERS: Mapping[Format, float] = MappingProxyType(
    {
        # 8.2 to 8.9 are written to, 13.7 asked for: the frame, the canvas, the copy that libvips makes of it.
        Format.WEBP: 14.0,
        Format.GIF: 10.0,  # 4.8 to 9: a canvas of RGBA, and one to go back to
        Format.AVIF: 24.0,  # 15.8 to 19.5: what is decoded, and each step of its conversion to RGB
        Format.HEIC: 8.0,  # 4.8 to 7.8
        Format.JXL: 10.0,  # 4 to 7.4 are written to, 10 asked for
        Format.SVG: 6.0,  # 8.1 with alpha: the surface, and the copy of it that is kept
    }
)
"""Bytes a pixel that decoders take which decode a picture whole."""
ALPHA = 3.0
"""Bytes a pixel that an alpha channel adds to those: 1.7 to 3."""
DEEP_AVIF = 29.0
"""Bytes a pixel of an AVIF of 10 or 12 bits: 19 to 25.4."""
SVG_TREE = 90
"""Bytes that the parsed tree takes for each of the file: 30 (a long path) to 74 (many small elements)."""
HOLDS_ALL_FRAMES = frozenset({Format.WEBP})
"""Whose frames are all decoded before the first is given on."""

VERIFY_LINES, VERIFY_SHRINK = 1000, 8
"""Lines of the source that a pass over all of it holds, 650 to 970; those of a JPEG are so much shorter."""
RENDER_LINES, LINES_A_STEP, MAX_STEP = 900, 140, 16
"""Lines that resampling holds: so many, and so many for each time that it makes smaller, up to 16 times."""
LINEAR_LINES = 1000
"""Lines that are held as floating point where light is resampled: 500 to 950."""
FLOAT = 4


class Encoder(Struct, frozen=True):
    """Bytes a pixel of the result that an encoder takes: opaque, with alpha, lossless."""

    opaque: float
    alpha: float
    lossless: float


ENCODERS: Mapping[Format, Encoder] = MappingProxyType(
    {
        Format.JPEG: Encoder(8, 8, 8),  # 6.3 to 7.3: mozjpeg holds all coefficients, twice
        Format.PNG: Encoder(7, 9, 9),  # 6.5 of noise, 1.6 of a photograph: the file, while it grows
        Format.WEBP: Encoder(11, 32, 43),  # 5.2 to 10.4; 20 to 30; 26 to 42
        Format.AVIF: Encoder(38, 47, 55),  # 33 to 37; 43 to 46; 33 to 52
        Format.GIF: Encoder(36, 36, 36),  # 34 up to 4 MP, 10 to 15.4 beyond
        Format.JXL: Encoder(48, 50, 50),  # 47 at 1.7 MP, 31 to 37 beyond
    }
)
FULL_CHROMA, FULL_CHROMA_QUALITY = 16, 90
"""Bytes a pixel of a JPEG whose chroma isn't halved, 14 to 15; and the least quality of such."""
SMALL = Recipe(width=256, height=256)
"""What nothing that is asked for takes much less than."""
JOINED = 3
"""Bytes a pixel of all frames of an animation that the file takes while it grows."""


def decode_memory(info: ImageInfo, recipe: Recipe | None = None, limits: OutputLimits | None = None) -> int:
    """Bytes of memory that the picture takes at most, while it is verified (no recipe) or rendered.

    Args:
        info: what `inspect` found in the picture itself.
        recipe: what is made of it; `auto` counts as the costliest format.
        limits: on the result; they decide how many frames are made.
    """
    if recipe is None:
        width = info.width / (VERIFY_SHRINK if info.format is Format.JPEG else 1)
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
    """Bytes that there have to be before a picture is taken in: to verify it, and to draw it small later."""
    return max(decode_memory(info), decode_memory(info, SMALL))


def _decoder(info: ImageInfo, scale: float, frames: int) -> float:
    """What the decoder holds, and the file."""
    tree = SVG_TREE * info.file_bytes if info.format is Format.SVG else 0
    # Packages are given the file as a copy.
    copies = 1 if spec(info.format).loader else 2
    return copies * info.file_bytes + info.buffer_bytes + _whole(info, scale) + tree + _frames(info, frames)


def _whole(info: ImageInfo, scale: float) -> float:
    """What is held of formats that are always decoded whole, at so many times their size."""
    if info.format not in DECODERS:
        return 0.0
    deep = info.format is Format.AVIF and info.bits > 8  # noqa: PLR2004  bits of a byte
    each = (DEEP_AVIF if deep else DECODERS[info.format]) + ALPHA * info.has_alpha
    return each * max(info.whole_pixels, info.width * info.height) * scale * scale


def _frames(info: ImageInfo, frames: int) -> int:
    """The frames behind the first, where all are there at once."""
    if info.format not in HOLDS_ALL_FRAMES or frames == 1:
        return 0
    return info.width * info.height * info.bands * (frames - 1)


def _line(info: ImageInfo, width: float) -> float:
    """Bytes of one line of the source."""
    return width * info.bands * info.bits / 8


def _resampling(info: ImageInfo, stored: Plan, scale: float, *, linear: bool) -> float:
    """The lines that resampling holds, of the source or, where that is wider, of the result."""
    ratio = scale * max(part.length / part.scaled for part in (stored.x, stored.y))
    width = max(stored.x.length * scale, stored.x.scaled)
    if linear:
        return LINEAR_LINES * width * info.bands * FLOAT
    lines = RENDER_LINES + LINES_A_STEP * min(MAX_STEP, ratio)
    return lines * _line(info, width)


def _result(info: ImageInfo, recipe: Recipe, target: Format, planned: Plan, frames: int) -> float:
    """The pixels of the result where they are held, and what the encoder takes."""
    pixels = planned.width * planned.height
    tried_as_opaque = info.has_alpha and info.format in STREAMED
    held = info.bands * (
        (info.orientation != 1) + (recipe.max_bytes is not None) + tried_as_opaque + (frames > 1) * frames
    )
    growing = JOINED * frames if frames > 1 else 0
    return pixels * (held + growing + _encoder(info, recipe, target))


def _encoder(info: ImageInfo, recipe: Recipe, target: Format) -> float:
    encoder = ENCODERS[target]
    if recipe.lossless:
        return encoder.lossless
    if target is Format.JPEG and (recipe.quality or 0) >= FULL_CHROMA_QUALITY:
        return FULL_CHROMA
    return encoder.alpha if info.has_alpha else encoder.opaque


def _target(info: ImageInfo, recipe: Recipe) -> Format:
    return Format.AVIF if recipe.auto else output_format(info.format, recipe, has_alpha=info.has_alpha)
