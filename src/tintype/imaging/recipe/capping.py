"""Recipes within the limits on renditions: a size that follows from the aspect ratio is reduced. Pure."""

from fractions import Fraction
from math import floor, isqrt

from msgspec.structs import replace

from tintype.imaging.formats import FormatSpec
from tintype.imaging.recipe import Mode, Recipe
from tintype.imaging.recipe.geometry import HALF, OutputLimits, Size, check_output, check_writable, plan


def within_limits(source: Size, recipe: Recipe, limits: OutputLimits, target: FormatSpec) -> Recipe:
    """The recipe, or one with a smaller size if its own exceeds the limits or the format.

    It is only made smaller, with its aspect ratio, where what exceeds them follows from the aspect ratio: the
    side that is not given, or the overhang of COVER. What is asked for is refused. The size of the source is
    always allowed, unless the format has no room for it.

    Args:
        source: the size of the source, after EXIF orientation.
        recipe: the requested recipe.
        limits: on the size of the result.
        target: the format of the result.

    Raises:
        ImageRefused: when a size that is asked for is too large.
    """
    recipe = recipe.normal()
    planned = plan(*source, recipe)
    size = planned.width, planned.height
    if _fits(size, source, limits, target):
        return recipe
    asked = _asked(recipe.width, size[0]), _asked(recipe.height, size[1])
    if not _fits(asked, source, limits, target):
        check_output(planned, *source, limits)
        check_writable(planned, target)
    longest = _longest(max(size), source, limits, target)
    other = _other(longest, source, limits)
    width, height = (longest, other) if size[0] >= size[1] else (other, longest)
    mode = recipe.mode if recipe.mode is Mode.FIT_EXACT else Mode.SCALE
    return replace(recipe, mode=mode, width=width, height=height)


def _fits(size: Size, source: Size, limits: OutputLimits, target: FormatSpec) -> bool:
    is_no_larger = size[0] <= source[0] and size[1] <= source[1]
    is_within = max(size) <= limits.max_side and size[0] * size[1] <= limits.max_pixels
    return (is_no_larger or is_within) and max(size) <= target.max_side


def _asked(side: int | None, result: int) -> int:
    """How much of a side of the result is asked for, and doesn't follow from the aspect ratio."""
    return 1 if side is None else min(side, result)


def _longest(result: int, source: Size, limits: OutputLimits, target: FormatSpec) -> int:
    """The longest side that is allowed, in the aspect ratio of the source."""
    by_pixels = isqrt(floor(limits.max_pixels * Fraction(max(source), min(source))))
    allowed = min(limits.max_side, by_pixels, limits.max_pixels)
    return min(result, max(allowed, *source), target.max_side)


def _other(longest: int, source: Size, limits: OutputLimits) -> int:
    """The shorter side for the longest one: to the nearest pixel, but not over the limit on pixels."""
    exact = Fraction(longest * min(source), max(source))
    nearest = max(1, floor(exact + HALF))
    is_too_large = longest > max(source) and longest * nearest > limits.max_pixels
    return max(1, nearest - 1) if is_too_large else nearest
