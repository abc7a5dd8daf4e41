"""Resampling windows with fractional bounds, as they occur after shrink-on-load."""

from msgspec import Struct

MAX_EXTRA_PIXELS = 16  # extra pixels of the result at each end
TOLERANCE = 1 / 32  # of a pixel: an invisible shift


class PixelWindow(Struct, frozen=True):
    """A range of whole pixels to resize, and the part of the result to keep.

    Attributes:
        first, count: the pixels to resize; a few may lie outside of the image.
        scaled: the length they are resized to.
        skip: pixels to cut off at the start of the result.
        size: pixels to keep after these; the rest is cut off.
    """

    first: int
    count: int
    scaled: int
    skip: int
    size: int


def pixel_window(start: float, end: float, size: int) -> PixelWindow:
    """The whole pixels to resize so that the interval from `start` to `end` becomes exactly `size` pixels.

    A resize maps whole pixels to whole pixels, but 2725 pixels decoded at a quarter are 681 1/4. Rounding to
    681 would distort the image, and lose more quality than the decoder does. Instead the interval is extended
    by a few pixels of the result, until both of its ends are (nearly) on pixel boundaries.
    """
    step = (end - start) / size
    before, after = _extra_steps(start, -step), _extra_steps(end, step)
    first, last = round(start - before * step), round(end + after * step)
    return PixelWindow(first, max(1, last - first), size + before + after, before, size)


def _extra_steps(at: float, step: float) -> int:
    """The fewest steps to within `TOLERANCE` of an integer, or else those that come closest."""
    return min(
        range(MAX_EXTRA_PIXELS),
        key=lambda steps: (max(TOLERANCE, _distance_to_integer(at + steps * step)), steps),
    )


def _distance_to_integer(at: float) -> float:
    return abs(at - round(at))
