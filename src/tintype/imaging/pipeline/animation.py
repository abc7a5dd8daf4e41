"""Animations: how many frames are kept, and rendering them one by one."""

from collections.abc import Callable, Iterator

import pyvips

from tintype.imaging.formats import FormatSpec, spec
from tintype.imaging.image_info import ImageInfo
from tintype.imaging.recipe import Recipe
from tintype.imaging.recipe.geometry import OutputLimits, Size

HEIGHT, DELAYS = "page-height", "delay"


def frame_count(info: ImageInfo, recipe: Recipe, target: FormatSpec, size: Size, limits: OutputLimits) -> int:
    """The number of frames of a rendition of this size, limited by the recipe and by the limits.

    It is 1, a still image, unless we can read the frames of the source and write those of the target.
    """
    if not (spec(info.format).can_animate and target.can_animate):
        return 1
    pixels, source_pixels = size[0] * size[1], info.width * info.height
    affordable = limits.max_total_pixels
    if pixels > source_pixels:
        # A small file would otherwise take as long as the largest.
        affordable = min(affordable, max(limits.max_enlarged_pixels, source_pixels * info.frames))
    return max(1, min(info.frames, recipe.frames or info.frames, limits.max_frames, affordable // pixels))


def animate(image: pyvips.Image, frames: int, draw: Callable[[pyvips.Image], pyvips.Image]) -> pyvips.Image:
    """Render an animation frame by frame, and join the results to a strip with the same delays and loops.

    Frames are rendered separately, so that resampling doesn't mix neighbours, and each is finished before the
    next one is decoded: memory holds the result, and one or two frames of the source.

    Args:
        image: a strip of frames of equal height, one below the other, opened for sequential access.
        frames: number of frames.
        draw: renders one frame; all results have the same size.
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
    """Add alpha to all frames if one of them has it."""
    most = max(frame.bands for frame in frames)
    return [frame if frame.bands == most else frame.addalpha() for frame in frames]
