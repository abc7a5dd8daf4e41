"""A rendition made from an original, from the facts to the file."""

from msgspec import Struct
from msgspec.structs import replace

from tintype.imaging.codecs.vips import Source, decoding
from tintype.imaging.extras import require
from tintype.imaging.formats import Format, FormatSpec, spec
from tintype.imaging.image_info import DEFAULT_LIMITS, ImageInfo, Limits
from tintype.imaging.inspection import inspect
from tintype.imaging.pipeline.animation import frame_count
from tintype.imaging.pipeline.draw import RenderTask, draw
from tintype.imaging.pipeline.encode import encode
from tintype.imaging.pipeline.smartcrop import find_focal_point
from tintype.imaging.recipe import Crop, Recipe
from tintype.imaging.recipe.auto import output_format
from tintype.imaging.recipe.geometry import OutputLimits, Plan, as_stored, check_output, check_writable, plan

DEFAULT_OUTPUT_LIMITS = OutputLimits()


class Rendition(Struct, frozen=True, kw_only=True):
    """A finished picture: its bytes and, in pixels, its size."""

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
    """Make the rendition of the recipe: upright, in sRGB at 8 bits, with no metadata and no profile.

    An animated GIF or WebP stays animated in these formats, with as many of its first frames as the recipe
    and the limits allow; in others it is the first frame. Where a transparent picture becomes a JPEG it is
    laid on the recipe's background, or white; padding is the background, or transparent, or black in a JPEG.

    Raises ImageRefused: whatever `inspect` raises, damaged, or output too large. Raises ValueError for a
    recipe whose format is still to be chosen.
    """
    return render_inspected(source, inspect(source, source_limits), recipe, limits)


def render_inspected(
    source: Source, info: ImageInfo, recipe: Recipe, limits: OutputLimits = DEFAULT_OUTPUT_LIMITS
) -> Rendition:
    """As `render`, of a source whose facts `inspect` has told."""
    planned, target = planned_for(info, recipe, limits)
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
    with decoding():
        data = encode(draw(task), target, recipe)
    return Rendition(data=data, format=target.format, width=planned.width, height=planned.height)


def planned_for(info: ImageInfo, recipe: Recipe, limits: OutputLimits) -> tuple[Plan, FormatSpec]:
    """How the rendition is laid out, and the row of its format.

    Raises ImageRefused when it can't be written, or is too large; ValueError as `render`.
    """
    target = spec(output_format(info.format, recipe, has_alpha=info.has_alpha))
    require(target, "made")
    planned = plan(info.width, info.height, recipe)
    check_output(planned, info.width, info.height, limits)
    check_writable(planned, target)
    return planned, target


def _needs_smartcrop(planned: Plan, recipe: Recipe) -> bool:
    """Whether something is clipped, and only the pixels can tell what."""
    clips = any(part.canvas < part.scaled or part.length < part.source for part in (planned.x, planned.y))
    return clips and recipe.normal().crop is not Crop.CENTRE
