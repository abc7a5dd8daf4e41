"""A rendition made from an original: the order of the steps is data."""

import pyvips
from msgspec import Struct

from tintype.imaging.encode import encode
from tintype.imaging.errors import ImageRefused, Reason, size_in_words
from tintype.imaging.formats import Format, Option, Row, row
from tintype.imaging.geometry import OutputLimits, Plan, Size, as_stored, check_output, plan
from tintype.imaging.inspect import DEFAULT_LIMITS, Facts, Limits, inspect
from tintype.imaging.recipe import Recipe
from tintype.imaging.vips import Source, decoding, open_image

DEFAULT_OUTPUT_LIMITS = OutputLimits()
JPEG_SHRINKS = (8, 4, 2)
WHITE, OPAQUE = 255, 255
INTEGERS = frozenset({"uchar", "ushort"})
PROFILE = "icc-profile-data"
GREY_BANDS, RGB_BANDS = 2, 3  # at most, with alpha; at least, without


class Rendition(Struct, frozen=True, kw_only=True):
    """A finished picture: its bytes and, in pixels, its size."""

    data: bytes
    format: Format
    width: int
    height: int


class Job(Struct, frozen=True, kw_only=True):
    """What the steps go by; the plan is for the pixels as they are stored, not yet upright."""

    source: Source
    facts: Facts
    plan: Plan
    target: Row
    recipe: Recipe


def render(
    source: Source,
    recipe: Recipe,
    limits: OutputLimits = DEFAULT_OUTPUT_LIMITS,
    source_limits: Limits = DEFAULT_LIMITS,
) -> Rendition:
    """Make the rendition of the recipe: upright, in sRGB at 8 bits, with no metadata but the colour profile.

    Of an animation it is the first frame. Where a transparent picture becomes a JPEG it is laid on white;
    padding is transparent where the format can be, and black in a JPEG.

    Raises ImageRefused: whatever `inspect` raises, damaged, or output too large. Raises ValueError for a
    recipe whose format is still to be chosen.
    """
    facts = inspect(source, source_limits)
    target = row(output_format(facts.format, recipe, has_alpha=facts.has_alpha))
    planned = plan(facts.width, facts.height, recipe)
    check_output(planned, facts.width, facts.height, limits)
    _check_writable(planned, target)
    job = Job(
        source=source,
        facts=facts,
        plan=as_stored(planned, facts.orientation),
        target=target,
        recipe=recipe,
    )
    return Rendition(data=_made(job), format=target.format, width=planned.canvas_w, height=planned.canvas_h)


def output_format(source: Format, recipe: Recipe, *, has_alpha: bool) -> Format:
    """The format the recipe makes of such a source: as asked, else the source's own.

    A source in a format that is never written becomes a PNG when it has alpha, else a JPEG.

    Raises ValueError for a recipe whose format is still to be chosen.
    """
    if recipe.auto:
        raise ValueError("The format is still to be chosen: a recipe has to be resolved before it is made.")
    wanted = recipe.format or source
    if row(wanted).saver is not None:
        return wanted
    return Format.PNG if has_alpha else Format.JPEG


def _check_writable(planned: Plan, target: Row) -> None:
    """Raise ImageRefused when the format itself has no room for so long a side."""
    width, height = planned.canvas_w, planned.canvas_h
    if max(width, height) > target.max_side:
        sentence = (
            f"The result would have {size_in_words(width, height)} pixels; {target.name} "
            f"has room for {target.max_side} a side."
        )
        raise ImageRefused(Reason.OUTPUT_TOO_LARGE, sentence)


def _made(job: Job) -> bytes:
    with decoding():
        image = _opened(job)
        for step in STEPS:
            image = step(image, job)
        return encode(image, job.target, job.recipe)


def _opened(job: Job) -> pyvips.Image:
    """The source, decoded at a part of its size where that is enough (a JPEG of which all is used)."""
    shrink = _shrink_on_load(job)
    options: dict[str, Option] = {"shrink": shrink} if shrink > 1 else {}
    return open_image(job.source, job.facts.format, **options)


def _shrink_on_load(job: Job) -> int:
    """The factor that leaves at least twice the size wanted, so that the real resampling is still ours."""
    whole = (job.facts.width, job.facts.height)
    region = (job.plan.region_w, job.plan.region_h)
    if job.facts.format is not Format.JPEG or sorted(region) != sorted(whole):
        return 1
    ratio = min(job.plan.region_w // job.plan.scaled_w, job.plan.region_h // job.plan.scaled_h)
    return next((shrink for shrink in JPEG_SHRINKS if 2 * shrink <= ratio), 1)


def _plain(image: pyvips.Image, _: Job) -> pyvips.Image:
    """Keep colour and one alpha; name a colour space where a TIFF leaves it open."""
    if image.interpretation == "multiband":
        image = image.copy(interpretation="b-w" if image.bands <= GREY_BANDS else "srgb")
    most = {"b-w": 2, "grey16": 2, "cmyk": 5}.get(image.interpretation, RGB_BANDS + 1)
    return image.extract_band(0, n=most) if image.bands > most else image


def _narrow(image: pyvips.Image, job: Job) -> pyvips.Image:
    """Keep the region, from the middle; an image that was shrunk on load is used whole."""
    width, height = job.plan.region_w, job.plan.region_h
    if image.width <= width and image.height <= height:
        return image
    return image.crop((image.width - width) // 2, (image.height - height) // 2, width, height)


def _resize(image: pyvips.Image, job: Job) -> pyvips.Image:
    """Resample to exactly the plan's size, with colour weighed by alpha so that edges get no fringe."""
    size = (job.plan.scaled_w, job.plan.scaled_h)
    if (image.width, image.height) == size:
        return image
    if not image.hasalpha():
        return _enlarged(_shrunk(image, size), size)
    weighed = _enlarged(_shrunk(image.premultiply(), size), size).unpremultiply()
    # cast() cuts fractions off, which would darken a picture by half a level.
    return (weighed.rint() if image.format in INTEGERS else weighed).cast(image.format)


def _shrunk(image: pyvips.Image, size: Size) -> pyvips.Image:
    """Shrink the directions that are longer than the size, by averaging and Lanczos 3."""
    across, down = min(1, size[0] / image.width), min(1, size[1] / image.height)
    return image if across == down == 1 else image.resize(across, vscale=down)


def _enlarged(image: pyvips.Image, size: Size) -> pyvips.Image:
    """Enlarge the directions that are shorter than the size, bicubically.

    Not by libvips' own `resize`, which sets what it enlarges half a pixel too far right and down (8.18): here
    pixel x of the result has its centre at (x + 1/2) / scale - 1/2 of the image.
    """
    if (image.width, image.height) == size:
        return image
    return image.affine(
        [size[0] / image.width, 0, 0, size[1] / image.height],
        interpolate=pyvips.Interpolate.new("bicubic"),
        oarea=[0, 0, *size],
        idx=0.5,
        idy=0.5,
        odx=-0.5,
        ody=-0.5,
        extend="copy",
        premultiplied=True,
    )


def _colour(image: pyvips.Image, _: Job) -> pyvips.Image:
    """Convert to sRGB (or grey) at 8 bits, by the embedded profile, or without it when that is unusable."""
    if image.get_typeof(PROFILE):
        try:
            return image.icc_transform("srgb", embedded=True, intent="relative", depth=8)
        except pyvips.Error:
            image = image.copy()
            image.remove(PROFILE)
    space = "b-w" if image.interpretation in {"b-w", "grey16"} else "srgb"
    return image.colourspace(space).cast("uchar")


def _flatten(image: pyvips.Image, job: Job) -> pyvips.Image:
    """Lay a transparent picture on white where the format can't be transparent."""
    if job.target.has_alpha or not image.hasalpha():
        return image
    return image.flatten(background=WHITE)


def _frame(image: pyvips.Image, job: Job) -> pyvips.Image:
    """Clip or pad to the canvas."""
    x, y, canvas = job.plan.offset_x, job.plan.offset_y, (job.plan.canvas_w, job.plan.canvas_h)
    if (image.width, image.height) == canvas:
        return image
    if image.width > canvas[0] or image.height > canvas[1]:
        return image.crop(-x, -y, *canvas)
    if job.target.has_alpha and not image.hasalpha():
        image = image.bandjoin(OPAQUE)
    # All bands zero: transparent where there is alpha, black where there is none.
    return image.embed(x, y, *canvas, extend="black")


def _upright(image: pyvips.Image, job: Job) -> pyvips.Image:
    """Apply the EXIF orientation, last: turning needs all the pixels at once, and here they are fewest."""
    return image if job.facts.orientation == 1 else image.copy_memory().autorot()


STEPS = (_plain, _narrow, _resize, _colour, _flatten, _frame, _upright)
