"""The pixels of a rendition: the order of the steps is data."""

from contextlib import suppress

import pyvips
from msgspec import Struct

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
LINES_TO_LOOK_AT = 16
STREAMED = frozenset({Format.PNG, Format.TIFF})  # their first lines are decoded without the others
OPAQUE = max(LEVELS)
WHITE, BLACK, CLEAR = Colour(255, 255, 255), Colour(0, 0, 0), Colour(0, 0, 0, 0)


class RenderTask(Struct, frozen=True, kw_only=True):
    """What the steps go by; the plan is for the pixels as they are stored, not yet upright."""

    source: Source
    info: ImageInfo
    plan: Plan
    target: FormatSpec
    recipe: Recipe
    frames: int = 1


def draw(job: RenderTask) -> pyvips.Image:
    """The rendition's pixels: upright, in sRGB (or grey) at 8 bits a band, with alpha only where it can be.

    Little of it is carried out before the pixels are asked for, so callers stay inside `decoding()`.
    """
    if job.frames > 1:
        image = open_image(job.source, job.info.format, n=job.frames)
        return animated(image, job.frames, lambda frame: _finished(_resampled(Loaded(frame), job), job))
    image = _resampled_as_opaque(job)
    return _finished(_resampled(_loaded(job), job) if image is None else image, job)


def _resampled_as_opaque(job: RenderTask) -> pyvips.Image | None:
    """The resized picture without its alpha, when that turns out to hide nothing; else None.

    Many PNGs have an alpha channel that is opaque everywhere. To weigh it is a fifth of the work, to hold all
    of the picture until it is known takes memory: so a picture that begins opaque is drawn as if it were. If
    the result isn't, it was in vain.
    """
    if not _may_be_opaque(job):
        return None
    image = _resampled(_loaded(job), job, weigh=False).copy_memory()
    return image.extract_band(0, n=image.bands - 1) if image[-1].min() >= OPAQUE else None


def _may_be_opaque(job: RenderTask) -> bool:
    shrinks = all(part.scaled < part.length for part in (job.plan.across, job.plan.down))
    if not (job.info.has_alpha and shrinks and job.info.format in STREAMED) or job.recipe.linear:
        return False
    image = load_whole(job.source, job.info).image
    if image.get_typeof("interlaced"):
        return False
    lines = _ready(image.crop(0, 0, image.width, min(image.height, LINES_TO_LOOK_AT)), job)
    return lines.format == "uchar" and bool(lines[-1].min() >= OPAQUE)


def _loaded(job: RenderTask) -> Loaded:
    """The source; what is made smaller while it is decoded has its levels averaged, not its light."""
    if job.recipe.linear:
        return load_whole(job.source, job.info)
    return load(job.source, job.info, job.plan)


def _resampled(loaded: Loaded, job: RenderTask, *, weigh: bool = True) -> pyvips.Image:
    """What was loaded at the plan's size, not yet clipped."""
    across, down = _grid(job.plan.across, loaded.across), _grid(job.plan.down, loaded.down)
    image = _ready(loaded.image, job)
    if job.recipe.linear:
        return _in_linear_light(_colour(image, job), across, down)
    return resample(image, across, down, weigh=weigh)


def _grid(part: AxisPlan, scale: float) -> PixelWindow:
    """The grid for a stretch of the source, of which a pixel is so long in what was loaded."""
    if scale == 1:
        return PixelWindow(part.start, part.length, part.scaled, 0, part.scaled)
    return pixel_window(part.start * scale, (part.start + part.length) * scale, part.scaled)


def _ready(image: pyvips.Image, job: RenderTask) -> pyvips.Image:
    """Keep colour and one alpha; name a colour space where a TIFF leaves it open; 8 bits where they do.

    They do for 16 bits of sRGB and grey, since the rendition has no more. By another profile a step may
    become a wider one.
    """
    if image.interpretation == "multiband":
        image = image.copy(interpretation="b-w" if image.bands <= GREY_BANDS else "srgb")
    most = {"b-w": 2, "grey16": 2, "cmyk": 5}.get(image.interpretation, RGB_BANDS + 1)
    image = image.extract_band(0, n=most) if image.bands > most else image
    if image.interpretation in DEEP and not job.recipe.linear and not _foreign_profile(image):
        return image.colourspace("b-w" if image.interpretation in GREY else "srgb")
    return image


def _in_linear_light(image: pyvips.Image, across: PixelWindow, down: PixelWindow) -> pyvips.Image:
    """Resample shares of light instead of levels."""
    light = resample(image.colourspace("scrgb"), across, down)
    return light.colourspace(image.interpretation)


def _finished(image: pyvips.Image, job: RenderTask) -> pyvips.Image:
    for step in STEPS:
        image = step(image, job)
    return image


def _colour(image: pyvips.Image, _: RenderTask) -> pyvips.Image:
    """Convert to sRGB (or grey) at 8 bits, by the embedded profile, or without it when that is unusable.

    No profile is kept: what has none is sRGB to all who show pictures, and it would be a good part of a
    thumbnail.
    """
    if _foreign_profile(image):
        with suppress(pyvips.Error):  # it may be broken, or for other channels
            image = image.icc_transform("srgb", embedded=True, intent="relative", depth=8)
    if image.get_typeof(PROFILE):
        image = image.copy()
        image.remove(PROFILE)
    space = "b-w" if image.interpretation in GREY else "srgb"
    if (image.interpretation, image.format) == (space, "uchar"):
        return image
    return image.colourspace(space).cast("uchar")


def _foreign_profile(image: pyvips.Image) -> bool:
    """Whether there is a profile that says something else than sRGB."""
    return bool(image.get_typeof(PROFILE)) and not (image.bands >= RGB_BANDS and is_srgb(image.get(PROFILE)))


def _flatten(image: pyvips.Image, job: RenderTask) -> pyvips.Image:
    """Lay a transparent picture on its background; on white where it has none and the format needs one."""
    ground = _flatten_colour(job)
    if ground is None or not image.hasalpha():
        return image
    if image.bands < RGB_BANDS and not (ground.is_grey and ground.is_opaque):
        image = image.colourspace("srgb")
    if ground.is_opaque:
        return image.flatten(background=list(ground.rgba[: image.bands - 1]))
    return image.new_from_image(list(ground.rgba)).copy(interpretation="srgb").composite2(image, "over")


def _flatten_colour(job: RenderTask) -> Colour | None:
    """What is laid under the picture, opaque where the format can't be transparent."""
    ground = job.recipe.background
    if job.target.has_alpha:
        return ground
    return WHITE if ground is None else ground.over(WHITE)


def _crop_or_pad(image: pyvips.Image, job: RenderTask) -> pyvips.Image:
    """Clip to the canvas, or pad it: with the background, else transparent, or black where that can't be."""
    across, down = job.plan.across, job.plan.down
    canvas = (across.canvas, down.canvas)
    if (image.width, image.height) == canvas:
        return image
    if image.width > canvas[0] or image.height > canvas[1]:
        return image.crop(-across.offset, -down.offset, *canvas)
    image, levels = _with_room_for(_padding(job), image)
    return image.embed(across.offset, down.offset, *canvas, extend="background", background=levels)


def _padding(job: RenderTask) -> Colour:
    if job.recipe.background is None:
        return CLEAR if job.target.has_alpha else BLACK
    return job.recipe.background if job.target.has_alpha else job.recipe.background.over(WHITE)


def _with_room_for(colour: Colour, image: pyvips.Image) -> tuple[pyvips.Image, list[int]]:
    """The picture with the bands that the colour needs beside it, and the colour's levels in these."""
    if not colour.is_grey and image.bands < RGB_BANDS:
        image = image.colourspace("srgb")
    if not colour.is_opaque and not image.hasalpha():
        image = image.bandjoin(OPAQUE)
    grey_or_rgb = colour.rgba[: image.bands - image.hasalpha()]
    return image, [*grey_or_rgb, *([colour.alpha] if image.hasalpha() else [])]


def _upright(image: pyvips.Image, job: RenderTask) -> pyvips.Image:
    """Apply the EXIF orientation, last: turning needs all the pixels at once, and here they are fewest."""
    return image if job.info.orientation == 1 else image.copy_memory().autorot()


STEPS = (_colour, _flatten, _crop_or_pad, _upright)
