"""Animations: which frames are kept, and how each is made by itself."""

from collections.abc import Callable, Iterator

import pyvips

from tintype.imaging.formats import FormatSpec, spec
from tintype.imaging.image_info import ImageInfo
from tintype.imaging.recipe import Recipe
from tintype.imaging.recipe.geometry import OutputLimits, Size

HEIGHT, DELAYS = "page-height", "delay"


def frame_count(info: ImageInfo, recipe: Recipe, target: FormatSpec, size: Size, limits: OutputLimits) -> int:
    """How many frames a rendition of this size has: the first ones, as many as are asked and as limits allow.

    It is 1, a still picture, wherever the frames can't be read and written; of an APNG, too.
    """
    if not (spec(info.format).can_animate and target.can_animate):
        return 1
    affordable = limits.max_total_pixels // (size[0] * size[1])
    return max(1, min(info.frames, recipe.frames or info.frames, limits.max_frames, affordable))


def animated(image: pyvips.Image, frames: int, draw: Callable[[pyvips.Image], pyvips.Image]) -> pyvips.Image:
    """The frames of an image, drawn one by one and put below one another again, with their delays and loops.

    Each is drawn as if there were no other, so that none bleeds into its neighbour, and is finished before
    the next one is decoded: memory holds the result, and of the source a frame or two.

    Args:
        image: frames of one height, one below the other, opened for one pass.
        frames: how many.
        draw: makes one frame of the result; all have the same size.
    """
    drawn = [draw(frame).copy_memory() for frame in _frames(image, frames)]
    joined = pyvips.Image.arrayjoin(_equalise_bands(drawn), across=1).copy()
    joined.set_type(pyvips.GValue.gint_type, HEIGHT, drawn[0].height)
    if image.get_typeof(DELAYS):
        joined.set_type(pyvips.GValue.array_int_type, DELAYS, image.get(DELAYS)[:frames])
    return joined


def _frames(image: pyvips.Image, frames: int) -> Iterator[pyvips.Image]:
    height = image.height // frames
    return (image.crop(0, at * height, image.width, height) for at in range(frames))


def _equalise_bands(frames: list[pyvips.Image]) -> list[pyvips.Image]:
    """The frames with alpha in all of them when it is in one."""
    most = max(frame.bands for frame in frames)
    return [frame if frame.bands == most else frame.addalpha() for frame in frames]
