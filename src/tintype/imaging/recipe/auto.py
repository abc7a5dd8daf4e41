"""Which formats suit one who asks: what `auto` in a recipe comes to. Pure."""

from collections.abc import Set as AbstractSet

from tintype.imaging.formats import Format, spec
from tintype.imaging.recipe import Recipe

MODERN = (Format.AVIF, Format.WEBP)
"""Formats that not everybody reads, the one with the fewest bytes for a photograph first."""
FLAT = frozenset({Format.PNG, Format.GIF})
"""Formats of drawings and screens, which a JPEG would smear."""

TINY_PIXELS = 16_384
"""Up to here the frame of a file outweighs the picture, so that all formats are tried and the smallest kept:
an AVIF has some 300 bytes before its first pixel."""

_BY_MEDIA_TYPE = {spec(format).media_type: format for format in MODERN}


def accepted(accept: str) -> frozenset[Format]:
    """The modern formats that an `Accept` header (RFC 9110, 12.5.1) names.

    A wildcard names none: every browser sends one, whatever it reads. Nor does a quality of 0.
    """
    parts = (part.partition(";") for part in accept.lower().split(","))
    named = ((_BY_MEDIA_TYPE.get(media.strip()), parameters) for media, _, parameters in parts)
    return frozenset(format for format, parameters in named if format and not _is_refused(parameters))


def candidates(
    source: Format, recipe: Recipe, accepted: AbstractSet[Format], *, has_alpha: bool, frames: int
) -> tuple[Format, ...]:
    """The formats that suit, the best first; the last is one that everybody reads.

    Args:
        source: the original's format.
        recipe: what is asked; its own format is overlooked.
        accepted: the modern formats that the client reads.
        has_alpha: whether the original is transparent somewhere.
        frames: of the original.
    """
    can_animate = spec(source).can_animate and frames > 1 and recipe.frames != 1
    # A lossless AVIF is larger than a lossless WebP, and takes many times as long.
    excluded = {Format.AVIF} if can_animate or recipe.lossless else set()
    suitable = [format for format in MODERN if format in accepted - excluded]
    return (*suitable, _fallback(source, recipe, has_alpha=has_alpha, can_animate=can_animate))


def output_format(source: Format, recipe: Recipe, *, has_alpha: bool) -> Format:
    """The format the recipe makes of such a source: as asked, else the source's own.

    A source in a format that not every browser shows becomes a PNG when it has alpha, else a JPEG.

    Raises ValueError for a recipe whose format is still to be chosen.
    """
    if recipe.auto:
        raise ValueError("The format is still to be chosen: a recipe has to be resolved before it is made.")
    if recipe.format is not None:
        return recipe.format
    if spec(source).web_safe:
        return source
    return Format.PNG if has_alpha else Format.JPEG


def _fallback(source: Format, recipe: Recipe, *, has_alpha: bool, can_animate: bool) -> Format:
    """The format that everybody reads."""
    if can_animate:
        return Format.GIF
    return Format.PNG if has_alpha or recipe.lossless or source in FLAT else Format.JPEG


def _is_refused(parameters: str) -> bool:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            return not value.strip().strip("0.")
    return False
