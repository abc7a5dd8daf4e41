"""Recipes within the limits on renditions: a size that follows from the aspect ratio is reduced. Pure."""

from fractions import Fraction
from math import floor, isqrt

from msgspec.structs import replace

from tintype.imaging.errors import ImageRefused, Reason, size_in_words
from tintype.imaging.formats import FormatSpec
from tintype.imaging.recipe import Mode, Recipe
from tintype.imaging.recipe.geometry import HALF, OutputLimits, Size, check_output, check_writable, plan

UNBOUNDED = 2**62
"""More pixels than any result has."""


def within_limits(
    source: Size, recipe: Recipe, limits: OutputLimits, target: FormatSpec, affordable: int = UNBOUNDED
) -> Recipe:
    """The recipe, or one with a smaller size if its own exceeds the limits or the format.

    It is only made smaller, with its aspect ratio, where what exceeds them follows from the aspect ratio: the
    side that is not given, or the overhang of COVER. What is asked for is refused. The size of the source is
    always allowed, unless the format or the memory has no room for it.

    Args:
        source: the size of the source, after EXIF orientation.
        recipe: the requested recipe.
        limits: on the size of the result.
        target: the format of the result.
        affordable: the most pixels of the result that there is memory for.

    Raises:
        ImageRefused: when a size that is asked for is too large.
    """
    recipe = recipe.normal()
    planned = plan(*source, recipe)
    size = planned.width, planned.height
    if _fits(size, source, limits, target, affordable):
        return recipe
    asked = _asked(recipe.width, size[0]), _asked(recipe.height, size[1])
    if not _fits(asked, source, limits, target, affordable):
        check_output(planned, *source, limits)
        check_writable(planned, target)
        raise _too_much_memory(size, affordable)
    longest = _longest(max(size), source, limits, target, affordable)
    other = _other(longest, source, limits, affordable)
    width, height = (longest, other) if size[0] >= size[1] else (other, longest)
    mode = recipe.mode if recipe.mode is Mode.FIT_EXACT else Mode.SCALE
    return replace(recipe, mode=mode, width=width, height=height)


def _fits(size: Size, source: Size, limits: OutputLimits, target: FormatSpec, affordable: int) -> bool:
    is_no_larger = size[0] <= source[0] and size[1] <= source[1]
    is_within = max(size) <= limits.max_side and size[0] * size[1] <= limits.max_pixels
    return (is_no_larger or is_within) and max(size) <= target.max_side and size[0] * size[1] <= affordable


def _asked(side: int | None, result: int) -> int:
    """How much of a side of the result is asked for, and doesn't follow from the aspect ratio."""
    return 1 if side is None else min(side, result)


def _longest(result: int, source: Size, limits: OutputLimits, target: FormatSpec, affordable: int) -> int:
    """The longest side that is allowed, in the aspect ratio of the source."""
    allowed = min(limits.max_side, _longest_of(limits.max_pixels, source))
    return min(result, max(allowed, *source), target.max_side, _longest_of(affordable, source))


def _longest_of(pixels: int, source: Size) -> int:
    """The longest side of so many pixels in the aspect ratio of the source."""
    return min(isqrt(floor(pixels * Fraction(max(source), min(source)))), pixels)


def _other(longest: int, source: Size, limits: OutputLimits, affordable: int) -> int:
    """The shorter side for the longest one: to the nearest pixel, but not over a limit on pixels."""
    most = affordable if longest <= max(source) else min(affordable, limits.max_pixels)
    nearest = max(1, floor(Fraction(longest * min(source), max(source)) + HALF))
    return max(1, nearest - 1) if longest * nearest > most else nearest


def _too_much_memory(size: Size, affordable: int) -> ImageRefused:
    sentence = f"The result would have {size_in_words(*size)} pixels; there is memory for {affordable} of it."
    return ImageRefused(Reason.TOO_COSTLY, sentence)
