"""Format negotiation: the formats for `auto` in a recipe. Pure."""

from collections.abc import Set as AbstractSet

from tintype.imaging.formats import Format, spec
from tintype.imaging.recipe import Recipe

MODERN = (Format.AVIF, Format.WEBP)
"""Formats that not all clients support, the one with the smallest photographs first."""
FLAT = frozenset({Format.PNG, Format.GIF})
"""Formats typical of drawings and screenshots, which JPEG would blur."""

TINY_PIXELS = 16_384
"""Up to this size the container's overhead dominates, so all formats are tried and the smallest file is used:
an AVIF has some 300 bytes before its first pixel."""


def candidates(
    source: Format, recipe: Recipe, accepted: AbstractSet[Format], *, has_alpha: bool, frames: int
) -> tuple[Format, ...]:
    """The suitable formats, best first; the last is one that all clients support.

    Args:
        source: the original's format.
        recipe: the requested recipe; its own format is ignored.
        accepted: the modern formats that the client supports.
        has_alpha: whether the original has an alpha channel.
        frames: number of frames of the original.
    """
    can_animate = spec(source).can_animate and frames > 1 and recipe.frames != 1
    # A lossless AVIF is larger than a lossless WebP, and takes many times as long to encode.
    excluded = {Format.AVIF} if can_animate or recipe.lossless else set()
    suitable = [format for format in MODERN if format in accepted - excluded]
    return (*suitable, _fallback(source, recipe, has_alpha=has_alpha, can_animate=can_animate))


def output_format(source: Format, recipe: Recipe, *, has_alpha: bool) -> Format:
    """The format of the rendition: the recipe's, or else the source's.

    A source that is not web-safe becomes a PNG if it has alpha, otherwise a JPEG.

    Raises:
        ValueError: when the recipe's format is `auto`, and not resolved yet.
    """
    if recipe.auto:
        raise ValueError("The format is still to be chosen: a recipe has to be resolved before it is made.")
    if recipe.format is not None:
        return recipe.format
    if spec(source).web_safe:
        return source
    return Format.PNG if has_alpha else Format.JPEG


def _fallback(source: Format, recipe: Recipe, *, has_alpha: bool, can_animate: bool) -> Format:
    """The format that all clients support."""
    if can_animate:
        return Format.GIF
    return Format.PNG if has_alpha or recipe.lossless or source in FLAT else Format.JPEG
