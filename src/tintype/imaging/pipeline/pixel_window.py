"""Where a stretch of a picture lies in the pixels of one that was decoded at a part of its size."""

from msgspec import Struct

MAX_EXTRA_PIXELS = 16  # pixels of the result at each end
TOLERANCE = 1 / 32  # of a pixel: a shift nobody sees


class PixelWindow(Struct, frozen=True):
    """How to get exactly the wanted pixels out of whole ones.

    Attributes:
        first, count: the pixels to take; a few of them may lie before the first or behind the last there is.
        made: what these are resized to.
        before: how many of the made come before the wanted ones.
        wanted: how many are wanted; what is made behind them is cut off too.
    """

    first: int
    count: int
    scaled: int
    skip: int
    size: int


def pixel_window(start: float, end: float, size: int) -> PixelWindow:
    """The whole pixels to resize so that the stretch from `start` to `end` becomes `wanted` pixels in place.

    A resize takes whole pixels to whole pixels, but of 2725 pixels decoded at a quarter there are 681 1/4.
    Taking them for 681 would stretch the picture, which costs more likeness than the decoder does. Instead
    the stretch is made a few pixels of the result longer, until it begins and ends (nearly) between two.
    """
    step = (end - start) / size
    before, after = _extra_steps(start, -step), _extra_steps(end, step)
    first, last = round(start - before * step), round(end + after * step)
    return PixelWindow(first, max(1, last - first), size + before + after, before, size)


def _extra_steps(at: float, step: float) -> int:
    """The fewest steps that lead near to a whole number, or else as near as few can."""
    return min(
        range(MAX_EXTRA_PIXELS),
        key=lambda steps: (max(TOLERANCE, _distance_to_integer(at + steps * step)), steps),
    )


def _distance_to_integer(at: float) -> float:
    return abs(at - round(at))
