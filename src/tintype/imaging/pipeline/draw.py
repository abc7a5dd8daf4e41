"""The pixels of a rendition: the order of the steps is data."""

from collections.abc import Callable, Sequence
from contextlib import suppress

import pyvips
from msgspec import Struct
from msgspec.structs import replace

from tintype.imaging.codecs.vips import Source, open_image
from tintype.imaging.formats import Format, FormatSpec
from tintype.imaging.image_info import ImageInfo
from tintype.imaging.pipeline.animation import animated
from tintype.imaging.pipeline.load import Loaded, load, load_whole
from tintype.imaging.pipeline.pixel_window import PixelWindow, pixel_window
from tintype.imaging.pipeline.profiles import is_srgb
from tintype.imaging.pipeline.resample import resample
from tintype.imaging.recipe import LEVELS, Colour, Recipe
from tintype.imaging.recipe.geometry import AxisPlan, Plan

PROFILE = "icc-profile-data"
GREY_BANDS, RGB_BANDS = 2, 3  # at most, with alpha; at least, without
DEEP = frozenset({"rgb16", "grey16"})
GREY = frozenset({"b-w", "grey16"})
PROBE_LINES = 16
STREAMED = frozenset({Format.PNG, Format.TIFF})  # their first lines are decoded without the others
OPAQUE = max(LEVELS)
WHITE, BLACK, CLEAR = Colour(255, 255, 255), Colour(0, 0, 0), Colour(0, 0, 0, 0)


class RenderTask(Struct, frozen=True, kw_only=True):
    """What the steps go by; the plan is for the pixels as they are stored, not yet upright.

    Attributes:
        source: the original.
        info: what its header says.
        plan: sizes and positions, along each axis.
        target: the format of the rendition.
        recipe: what is asked for.
        frames: how many are drawn; 1 for a still picture.
        scale_x, scale_y: how many pixels of what was loaded a pixel of the source is.
        premultiply: whether colours are weighed by alpha when they are resampled.
    """

    source: Source
    info: ImageInfo
    plan: Plan
    target: FormatSpec
    recipe: Recipe
    frames: int = 1
    scale_x: float = 1.0
    scale_y: float = 1.0
    premultiply: bool = True


Step = Callable[[pyvips.Image, RenderTask], pyvips.Image]
"""One step of a rendition: from pixels to pixels."""


def draw(task: RenderTask) -> pyvips.Image:
    """The rendition's pixels: upright, in sRGB (or grey) at 8 bits a band, with alpha only where it can be.

    Little of it is carried out before the pixels are asked for, so callers stay inside `decoding()`.
    """
    if task.frames > 1:
        image = open_image(task.source, task.info.format, n=task.frames)
        return animated(image, task.frames, lambda frame: _apply(STEPS, *_loaded(Loaded(frame), task)))
    image = _try_opaque(task)
    if image is not None:
        return _apply(STEPS_AFTER_RESAMPLING, image, task)
    return _apply(STEPS, *_load_source(task))


def _apply(steps: Sequence[Step], image: pyvips.Image, task: RenderTask) -> pyvips.Image:
    for step in steps:
        image = step(image, task)
    return image


def _try_opaque(task: RenderTask) -> pyvips.Image | None:
    """The resized picture without its alpha, when that turns out to hide nothing; else None.

    Many PNGs have an alpha channel that is opaque everywhere. To premultiply is a fifth of the work, to hold
    all of the picture until it is known takes memory: so a picture that begins opaque is drawn as if it were.
    If the result isn't, it was in vain.
    """
    if not _may_be_opaque(task):
        return None
    loaded, placed = _load_source(replace(task, premultiply=False))
    image = _apply(STEPS_TO_RESAMPLING, loaded, placed).copy_memory()
    return image.extract_band(0, n=image.bands - 1) if image[-1].min() >= OPAQUE else None


def _may_be_opaque(task: RenderTask) -> bool:
    shrinks = all(part.scaled < part.length for part in (task.plan.x, task.plan.y))
    if not (task.info.has_alpha and shrinks and task.info.format in STREAMED) or task.recipe.linear:
        return False
    image = load_whole(task.source, task.info).image
    if image.get_typeof("interlaced"):
        return False
    lines = _normalise_bands(image.crop(0, 0, image.width, min(image.height, PROBE_LINES)), task)
    return lines.format == "uchar" and bool(lines[-1].min() >= OPAQUE)


def _load_source(task: RenderTask) -> tuple[pyvips.Image, RenderTask]:
    """The source; what is made smaller while it is decoded has its levels averaged, not its light."""
    if task.recipe.linear:
        return _loaded(load_whole(task.source, task.info), task)
    return _loaded(load(task.source, task.info, task.plan), task)


def _loaded(loaded: Loaded, task: RenderTask) -> tuple[pyvips.Image, RenderTask]:
    return loaded.image, replace(task, scale_x=loaded.scale_x, scale_y=loaded.scale_y)


def _normalise_bands(image: pyvips.Image, task: RenderTask) -> pyvips.Image:
    """Keep colour and one alpha; name a colour space where a TIFF leaves it open; 8 bits where they do.

    They do for 16 bits of sRGB and grey, since the rendition has no more. By another profile a step may
    become a wider one.
    """
    if image.interpretation == "multiband":
        image = image.copy(interpretation="b-w" if image.bands <= GREY_BANDS else "srgb")
    most = {"b-w": 2, "grey16": 2, "cmyk": 5}.get(image.interpretation, RGB_BANDS + 1)
    image = image.extract_band(0, n=most) if image.bands > most else image
    if image.interpretation in DEEP and not task.recipe.linear and not _has_non_srgb_profile(image):
        return image.colourspace("b-w" if image.interpretation in GREY else "srgb")
    return image


def _resample(image: pyvips.Image, task: RenderTask) -> pyvips.Image:
    """Scale to the plan's size, not yet clipped: levels as they are, or shares of light in linear recipes."""
    x, y = _window(task.plan.x, task.scale_x), _window(task.plan.y, task.scale_y)
    if task.recipe.linear:
        levels = _to_srgb(image, task)
        return resample(levels.colourspace("scrgb"), x, y).colourspace(levels.interpretation)
    return resample(image, x, y, premultiply=task.premultiply)


def _window(part: AxisPlan, scale: float) -> PixelWindow:
    """The window of a part of the source, where a pixel of the source is `scale` pixels long."""
    if scale == 1:
        return PixelWindow(part.start, part.length, part.scaled, 0, part.scaled)
    return pixel_window(part.start * scale, (part.start + part.length) * scale, part.scaled)


def _to_srgb(image: pyvips.Image, _: RenderTask) -> pyvips.Image:
    """Convert to sRGB (or grey) at 8 bits, by the embedded profile, or without it when that is unusable.

    No profile is kept: what has none is sRGB to all who show pictures, and it would be a good part of a
    thumbnail.
    """
    if _has_non_srgb_profile(image):
        with suppress(pyvips.Error):  # it may be broken, or for other channels
            image = image.icc_transform("srgb", embedded=True, intent="relative", depth=8)
    if image.get_typeof(PROFILE):
        image = image.copy()
        image.remove(PROFILE)
    space = "b-w" if image.interpretation in GREY else "srgb"
    if (image.interpretation, image.format) == (space, "uchar"):
        return image
    return image.colourspace(space).cast("uchar")


def _has_non_srgb_profile(image: pyvips.Image) -> bool:
    """Whether there is a profile that says something else than sRGB."""
    return bool(image.get_typeof(PROFILE)) and not (image.bands >= RGB_BANDS and is_srgb(image.get(PROFILE)))


def _flatten(image: pyvips.Image, task: RenderTask) -> pyvips.Image:
    """Lay a transparent picture on its background; on white where it has none and the format needs one."""
    background = _flatten_background(task)
    if background is None or not image.hasalpha():
        return image
    if image.bands < RGB_BANDS and not (background.is_grey and background.is_opaque):
        image = image.colourspace("srgb")
    if background.is_opaque:
        return image.flatten(background=list(background.rgba[: image.bands - 1]))
    return image.new_from_image(list(background.rgba)).copy(interpretation="srgb").composite2(image, "over")


def _flatten_background(task: RenderTask) -> Colour | None:
    """What is laid under the picture, opaque where the format can't be transparent."""
    background = task.recipe.background
    if task.target.has_alpha:
        return background
    return WHITE if background is None else background.over(WHITE)


def _crop_or_pad(image: pyvips.Image, task: RenderTask) -> pyvips.Image:
    """Clip to the canvas, or pad it: with the background, else transparent, or black where that can't be."""
    x, y = task.plan.x, task.plan.y
    canvas = (x.canvas, y.canvas)
    if (image.width, image.height) == canvas:
        return image
    if image.width > canvas[0] or image.height > canvas[1]:
        return image.crop(-x.offset, -y.offset, *canvas)
    image, levels = _add_bands_for(_padding(task), image)
    return image.embed(x.offset, y.offset, *canvas, extend="background", background=levels)


def _padding(task: RenderTask) -> Colour:
    if task.recipe.background is None:
        return CLEAR if task.target.has_alpha else BLACK
    return task.recipe.background if task.target.has_alpha else task.recipe.background.over(WHITE)


def _add_bands_for(colour: Colour, image: pyvips.Image) -> tuple[pyvips.Image, list[int]]:
    """The picture with the bands that the colour needs beside it, and the colour's levels in these."""
    if not colour.is_grey and image.bands < RGB_BANDS:
        image = image.colourspace("srgb")
    if not colour.is_opaque and not image.hasalpha():
        image = image.bandjoin(OPAQUE)
    grey_or_rgb = colour.rgba[: image.bands - image.hasalpha()]
    return image, [*grey_or_rgb, *([colour.alpha] if image.hasalpha() else [])]


def _upright(image: pyvips.Image, task: RenderTask) -> pyvips.Image:
    """Apply the EXIF orientation, last: turning needs all the pixels at once, and here they are fewest."""
    return image if task.info.orientation == 1 else image.copy_memory().autorot()


STEPS_TO_RESAMPLING: tuple[Step, ...] = (_normalise_bands, _resample)
STEPS_AFTER_RESAMPLING: tuple[Step, ...] = (_to_srgb, _flatten, _crop_or_pad, _upright)
STEPS = STEPS_TO_RESAMPLING + STEPS_AFTER_RESAMPLING
"""All steps between loading and encoding, in their order."""
