"""What a picture will cost, told from its header: arithmetic and no pixels.

The figures are the growth of a fresh process's peak memory (VmHWM), measured with pictures of 12 to 40
megapixels, photographs and noise, by libvips 8.18 and the codecs that come with it, and measured again by
`tests/imaging/test_cost.py`. They are upper bounds: what a file takes depends on pixels that nobody has seen.
"""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

from tintype.imaging.animation import frames_kept
from tintype.imaging.auto import output_format
from tintype.imaging.draw import STREAMED
from tintype.imaging.facts import Facts
from tintype.imaging.formats import Format, row
from tintype.imaging.geometry import OutputLimits, Plan, as_stored, plan
from tintype.imaging.load import decoded_scale
from tintype.imaging.recipe import Recipe

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
CHUNK_FRAMES = frozenset({Format.WEBP})
"""Whose frames are all decoded before the first is given on."""

VERIFY_LINES, VERIFY_SHRINK = 1000, 8
"""Lines of the source that a pass over all of it holds, 650 to 970; those of a JPEG are so much shorter."""
RENDER_LINES, LINES_A_STEP, LONGEST_STEP = 900, 140, 16
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


def decode_memory(facts: Facts, recipe: Recipe | None = None, limits: OutputLimits | None = None) -> int:
    """Bytes of memory that the picture takes at most, while it is verified (no recipe) or rendered.

    Args:
        facts: what `inspect` found in the picture itself.
        recipe: what is made of it; `auto` counts as the costliest format.
        limits: on the result; they decide how many frames are made.
    """
    if recipe is None:
        width = facts.width / (VERIFY_SHRINK if facts.format is Format.JPEG else 1)
        return BASE + round(_decoder(facts, 1.0, facts.frames) + VERIFY_LINES * _line(facts, width))
    planned = plan(facts.width, facts.height, recipe)
    stored = as_stored(planned, facts.orientation)
    target = _target(facts, recipe)
    size = (planned.width, planned.height)
    frames = frames_kept(facts, recipe, row(target), size, limits or OutputLimits())
    scale = 1.0 if recipe.linear or frames > 1 else decoded_scale(facts, stored)
    decoding = _decoder(facts, scale, frames) + _resampling(facts, stored, scale, linear=recipe.linear)
    return BASE + round(decoding + _result(facts, recipe, target, planned, frames))


def intake_memory(facts: Facts) -> int:
    """Bytes that there have to be before a picture is taken in: to verify it, and to draw it small later."""
    return max(decode_memory(facts), decode_memory(facts, SMALL))


def _decoder(facts: Facts, scale: float, frames: int) -> float:
    """What the decoder holds, and the file."""
    tree = SVG_TREE * facts.file if facts.format is Format.SVG else 0
    # Packages are given the file as a copy.
    copies = 1 if row(facts.format).loader else 2
    return copies * facts.file + facts.buffered + _whole(facts, scale) + tree + _frames(facts, frames)


def _whole(facts: Facts, scale: float) -> float:
    """What is held of formats that are always decoded whole, at so many times their size."""
    if facts.format not in DECODERS:
        return 0.0
    deep = facts.format is Format.AVIF and facts.bits > 8  # noqa: PLR2004  bits of a byte
    each = (DEEP_AVIF if deep else DECODERS[facts.format]) + ALPHA * facts.has_alpha
    return each * max(facts.whole, facts.width * facts.height) * scale * scale


def _frames(facts: Facts, frames: int) -> int:
    """The frames behind the first, where all are there at once."""
    if facts.format not in CHUNK_FRAMES or frames == 1:
        return 0
    return facts.width * facts.height * facts.bands * (frames - 1)


def _line(facts: Facts, width: float) -> float:
    """Bytes of one line of the source."""
    return width * facts.bands * facts.bits / 8


def _resampling(facts: Facts, stored: Plan, scale: float, *, linear: bool) -> float:
    """The lines that resampling holds, of the source or, where that is wider, of the result."""
    ratio = scale * max(part.length / part.scaled for part in (stored.across, stored.down))
    width = max(stored.across.length * scale, stored.across.scaled)
    if linear:
        return LINEAR_LINES * width * facts.bands * FLOAT
    lines = RENDER_LINES + LINES_A_STEP * min(LONGEST_STEP, ratio)
    return lines * _line(facts, width)


def _result(facts: Facts, recipe: Recipe, target: Format, planned: Plan, frames: int) -> float:
    """The pixels of the result where they are held, and what the encoder takes."""
    pixels = planned.width * planned.height
    tried_as_opaque = facts.has_alpha and facts.format in STREAMED
    held = facts.bands * (
        (facts.orientation != 1) + (recipe.max_bytes is not None) + tried_as_opaque + (frames > 1) * frames
    )
    growing = JOINED * frames if frames > 1 else 0
    return pixels * (held + growing + _encoder(facts, recipe, target))


def _encoder(facts: Facts, recipe: Recipe, target: Format) -> float:
    encoder = ENCODERS[target]
    if recipe.lossless:
        return encoder.lossless
    if target is Format.JPEG and (recipe.quality or 0) >= FULL_CHROMA_QUALITY:
        return FULL_CHROMA
    return encoder.alpha if facts.has_alpha else encoder.opaque


def _target(facts: Facts, recipe: Recipe) -> Format:
    return Format.AVIF if recipe.auto else output_format(facts.format, recipe, has_alpha=facts.has_alpha)
