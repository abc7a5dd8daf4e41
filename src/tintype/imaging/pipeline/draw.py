"""The pixels of a rendition: load, resample, then the `STEPS` in order."""

from collections.abc import Callable, Sequence
from contextlib import suppress

import pyvips
from msgspec import Struct
from msgspec.structs import replace

from tintype.imaging.codecs.vips import Source, open_image
from tintype.imaging.colour_signal import ColourSignal
from tintype.imaging.formats import Format, FormatSpec
from tintype.imaging.image_info import ImageInfo
from tintype.imaging.pipeline.animation import animate
from tintype.imaging.pipeline.load import Loaded, load, load_whole
from tintype.imaging.pipeline.pixel_window import PixelWindow, pixel_window
from tintype.imaging.pipeline.profiles import is_srgb
from tintype.imaging.pipeline.resample import resample
from tintype.imaging.recipe import Recipe
from tintype.imaging.recipe.colour import LEVELS, Colour
from tintype.imaging.recipe.geometry import AxisPlan, Plan
from tintype.imaging.signal_conversion import signal_to_srgb, unpremultiplied

PROFILE = "icc-profile-data"
GREY_BANDS, RGB_BANDS = 2, 3  # at most, with alpha; at least, without
DEEP = frozenset({"rgb16", "grey16"})
GREY = frozenset({"b-w", "grey16"})
PROBE_LINES = 16
STREAMED = frozenset({Format.PNG, Format.TIFF})  # decoded line by line: the first lines without the others
OPAQUE = max(LEVELS)
WHITE, BLACK, CLEAR = Colour(255, 255, 255), Colour(0, 0, 0), Colour(0, 0, 0, 0)


class RenderTask(Struct, frozen=True, kw_only=True):
    """The input of all steps; the plan is for the stored pixels, before EXIF orientation.

    Attributes:
        source: the original.
        info: its properties.
        plan: sizes and positions along both axes.
        target: the format of the rendition.
        recipe: the requested recipe.
        frames: number of frames to render; 1 for a still image.
        scale_x, scale_y: scale of the loaded image relative to the source.
        premultiply: whether colours are premultiplied for resampling.
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
"""One step of a rendition, from pixels to pixels."""


def draw(task: RenderTask) -> pyvips.Image:
    """The rendition's pixels: upright, sRGB or grey, 8 bits per band, with alpha only if the format has it.

    libvips is lazy: most of the work happens when the pixels are read, so callers stay inside `decoding()`.
    """
    if task.frames > 1:
        image = open_image(task.source, task.info.format, n=task.frames)
        return animate(image, task.frames, lambda frame: _apply(STEPS, *_loaded(Loaded(frame), task)))
    image = _try_opaque(task)
    if image is not None:
        return _apply(STEPS_AFTER_RESAMPLING, image, task)
    return _apply(STEPS, *_load_source(task))


def _apply(steps: Sequence[Step], image: pyvips.Image, task: RenderTask) -> pyvips.Image:
    for step in steps:
        image = step(image, task)
    return image


def _try_opaque(task: RenderTask) -> pyvips.Image | None:
    """The resampled image without its alpha channel, if that is opaque everywhere; else None.

    Many PNGs have an opaque alpha channel. Premultiplying is a fifth of the work, and checking all of the
    alpha first would hold the whole image in memory. So if the first lines are opaque the image is resampled
    as if all were; if the result is not opaque after all, that work is discarded.
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
    """Open the source; not with shrink-on-load for linear light, as decoders average sRGB levels."""
    if task.recipe.linear:
        return _loaded(load_whole(task.source, task.info), task)
    return _loaded(load(task.source, task.info, task.plan), task)


def _loaded(loaded: Loaded, task: RenderTask) -> tuple[pyvips.Image, RenderTask]:
    return loaded.image, replace(task, scale_x=loaded.scale_x, scale_y=loaded.scale_y)


def _normalise_bands(image: pyvips.Image, task: RenderTask) -> pyvips.Image:
    """Keep the colour bands and one alpha, set a missing colour space (TIFF), and reduce to 8 bits.

    16 bits of sRGB or grey become 8, since the rendition has no more; but not if they are in another colour
    space, as converting may spread neighbouring levels.
    """
    if image.interpretation == "multiband":
        image = image.copy(interpretation="b-w" if image.bands <= GREY_BANDS else "srgb")
    most = {"b-w": 2, "grey16": 2, "cmyk": 5}.get(image.interpretation, RGB_BANDS + 1)
    image = image.extract_band(0, n=most) if image.bands > most else image
    if task.info.is_premultiplied:
        image = unpremultiplied(image)
    is_srgb = task.info.colour is None and not _has_non_srgb_profile(image)
    if image.interpretation in DEEP and not task.recipe.linear and is_srgb:
        return image.colourspace("b-w" if image.interpretation in GREY else "srgb")
    return image


def _resample(image: pyvips.Image, task: RenderTask) -> pyvips.Image:
    """Resize as planned, not cropped or padded yet; in linear light if the recipe says so."""
    x, y = _window(task.plan.x, task.scale_x), _window(task.plan.y, task.scale_y)
    if task.recipe.linear:
        levels = _converted(image, task.info.colour)
        return resample(levels.colourspace("scrgb"), x, y).colourspace(levels.interpretation)
    return resample(image, x, y, premultiply=task.premultiply)


def _window(part: AxisPlan, scale: float) -> PixelWindow:
    """The window of one axis in the loaded image, where `scale` is its size relative to the source."""
    if scale == 1:
        return PixelWindow(part.start, part.length, part.scaled, 0, part.scaled)
    return pixel_window(part.start * scale, (part.start + part.length) * scale, part.scaled)


def _to_srgb(image: pyvips.Image, task: RenderTask) -> pyvips.Image:
    """Convert to sRGB; for linear light that was done before resampling."""
    return _converted(image, None if task.recipe.linear else task.info.colour)


def _converted(image: pyvips.Image, colour: ColourSignal | None) -> pyvips.Image:
    """Convert to sRGB (or grey) with 8 bits, by what the header says, or else by the embedded ICC profile.

    An unusable profile is ignored.

    No profile is embedded in the result: viewers assume sRGB, and a profile would be a large part of a
    thumbnail.
    """
    if colour is not None:
        image = signal_to_srgb(image, colour)
    elif _has_non_srgb_profile(image):
        with suppress(pyvips.Error):  # it may be corrupt, or for another number of channels
            image = image.icc_transform("srgb", embedded=True, intent="relative", depth=8)
    if image.get_typeof(PROFILE):
        image = image.copy()
        image.remove(PROFILE)
    space = "b-w" if image.interpretation in GREY else "srgb"
    if (image.interpretation, image.format) == (space, "uchar"):
        return image
    return image.colourspace(space).cast("uchar")


def _has_non_srgb_profile(image: pyvips.Image) -> bool:
    """Whether there is an ICC profile for a colour space other than sRGB."""
    return bool(image.get_typeof(PROFILE)) and not (image.bands >= RGB_BANDS and is_srgb(image.get(PROFILE)))


def _flatten(image: pyvips.Image, task: RenderTask) -> pyvips.Image:
    """Composite the image over the background; over white if none is set and the format has no alpha."""
    background = _flatten_background(task)
    if background is None or not image.hasalpha():
        return image
    if image.bands < RGB_BANDS and not (background.is_grey and background.is_opaque):
        image = image.colourspace("srgb")
    if background.is_opaque:
        return image.flatten(background=list(background.rgba[: image.bands - 1]))
    return image.new_from_image(list(background.rgba)).copy(interpretation="srgb").composite2(image, "over")


def _flatten_background(task: RenderTask) -> Colour | None:
    """The colour to composite over, opaque if the format has no alpha; None: keep transparency."""
    background = task.recipe.background
    if task.target.has_alpha:
        return background
    return WHITE if background is None else background.over(WHITE)


def _crop_or_pad(image: pyvips.Image, task: RenderTask) -> pyvips.Image:
    """Crop or pad to the canvas; the padding is the background, or transparent, or black without alpha."""
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
    """Add the bands that a colour needs to the image; returns the colour's levels in these bands, too."""
    if not colour.is_grey and image.bands < RGB_BANDS:
        image = image.colourspace("srgb")
    if not colour.is_opaque and not image.hasalpha():
        image = image.bandjoin(OPAQUE)
    grey_or_rgb = colour.rgba[: image.bands - image.hasalpha()]
    return image, [*grey_or_rgb, *([colour.alpha] if image.hasalpha() else [])]


def _upright(image: pyvips.Image, task: RenderTask) -> pyvips.Image:
    """Apply the EXIF orientation; last, as it needs all pixels in memory, and there are fewest at the end."""
    return image if task.info.orientation == 1 else image.copy_memory().autorot()


STEPS_TO_RESAMPLING: tuple[Step, ...] = (_normalise_bands, _resample)
STEPS_AFTER_RESAMPLING: tuple[Step, ...] = (_to_srgb, _flatten, _crop_or_pad, _upright)
STEPS = STEPS_TO_RESAMPLING + STEPS_AFTER_RESAMPLING
"""All steps between loading and encoding, in order."""
