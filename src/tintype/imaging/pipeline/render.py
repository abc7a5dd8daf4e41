"""Rendering: from an original to the encoded rendition."""

from msgspec import Struct
from msgspec.structs import replace

from tintype.imaging.codecs.jpeg import count_warnings
from tintype.imaging.codecs.vips import Source, decoding
from tintype.imaging.extras import require
from tintype.imaging.formats import Format, FormatSpec, spec
from tintype.imaging.image_info import DEFAULT_LIMITS, ImageInfo, Limits
from tintype.imaging.inspection import inspect, verify
from tintype.imaging.pipeline.animation import frame_count
from tintype.imaging.pipeline.draw import RenderTask, draw
from tintype.imaging.pipeline.encode import encode
from tintype.imaging.pipeline.smartcrop import find_focal_point
from tintype.imaging.recipe import Crop, Recipe
from tintype.imaging.recipe.auto import output_format
from tintype.imaging.recipe.capping import within_limits
from tintype.imaging.recipe.geometry import OutputLimits, Plan, as_stored, plan

DEFAULT_OUTPUT_LIMITS = OutputLimits()


class Rendition(Struct, frozen=True, kw_only=True):
    """An encoded image, with its size in pixels."""

    data: bytes
    format: Format
    width: int
    height: int


def render(
    source: Source,
    recipe: Recipe,
    limits: OutputLimits = DEFAULT_OUTPUT_LIMITS,
    source_limits: Limits = DEFAULT_LIMITS,
) -> Rendition:
    """Render a recipe: upright, in sRGB with 8 bits, without metadata and profile.

    An animated GIF or WebP stays animated in these formats, limited to as many of its first frames as the
    recipe and the limits allow; other formats show the first frame. A transparent image that becomes a JPEG
    is composited over the recipe's background, or white; padding is the background, or transparent, or black
    in a JPEG.

    Raises:
        ImageRefused: as `inspect` raises it; damaged; output too large.
        ValueError: when the recipe's format is `auto`, and not resolved yet.
        OSError: when a path can't be read.
    """
    return render_inspected(source, inspect(source, source_limits), recipe, limits)


def render_inspected(
    source: Source, info: ImageInfo, recipe: Recipe, limits: OutputLimits = DEFAULT_OUTPUT_LIMITS
) -> Rendition:
    """Render a source whose properties were found by `inspect`; otherwise as `render`."""
    planned, target = plan_rendition(info, recipe, limits)
    if _needs_smartcrop(planned, recipe):
        focal = find_focal_point(source, info, recipe.crop, planned)
        planned = plan(info.width, info.height, replace(recipe, focal=focal, crop=Crop.CENTRE))
    stored = as_stored(planned, info.orientation)
    task = RenderTask(
        source=source,
        info=info,
        plan=stored,
        target=target,
        recipe=recipe,
        frames=frame_count(info, recipe, target, (planned.width, planned.height), limits),
    )
    with decoding(), count_warnings() as warnings:
        data = encode(draw(task), target, recipe)
    if warnings:
        # Few pictures have some that are harmless; others were damaged after they had been verified.
        verify(source, info)
    return Rendition(data=data, format=target.format, width=planned.width, height=planned.height)


def plan_rendition(info: ImageInfo, recipe: Recipe, limits: OutputLimits) -> tuple[Plan, FormatSpec]:
    """The plan of a rendition, capped as by `within_limits`, and its format.

    Raises:
        ImageRefused: when the format can't be written, or the result is too large.
        ValueError: when the recipe's format is `auto`, and not resolved yet.
    """
    target = spec(output_format(info.format, recipe, has_alpha=info.has_alpha))
    require(target, "made")
    source = (info.width, info.height)
    return plan(*source, within_limits(source, recipe, limits, target)), target


def _needs_smartcrop(planned: Plan, recipe: Recipe) -> bool:
    """Whether the plan crops the image, at a position that depends on its pixels."""
    clips = any(part.canvas < part.scaled or part.length < part.source for part in (planned.x, planned.y))
    return clips and recipe.normal().crop is not Crop.CENTRE
