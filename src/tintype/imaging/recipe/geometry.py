"""Sizes and positions of a rendition: pure arithmetic.

A size is a pair (width, height) in pixels.
"""

from fractions import Fraction
from math import ceil, floor

from msgspec import Struct
from msgspec.structs import replace

from tintype.imaging.errors import ImageRefused, Reason, size_in_words
from tintype.imaging.formats import FormatSpec
from tintype.imaging.recipe import FOCAL_DECIMALS, Focal, Mode, Recipe

Size = tuple[int, int]

# The EXIF orientations whose correction swaps or mirrors the axes of the stored image (TIFF 6.0, page 36).
SWAPS_SIDES = frozenset({5, 6, 7, 8})
MIRRORS_X = frozenset({2, 3, 6, 7})
MIRRORS_Y = frozenset({3, 4, 7, 8})

HALF = Fraction(1, 2)


class OutputLimits(Struct, frozen=True, kw_only=True):
    """Limits on renditions: pixels of a side and of a frame; number of frames; pixels of all frames.

    `max_enlarged_pixels` are those of all frames if they are larger than the source's, and exceed its own.
    """

    max_side: int = 8192
    max_pixels: int = 40_000_000
    max_frames: int = 500
    max_total_pixels: int = 25_000_000
    max_enlarged_pixels: int = 6_000_000


class AxisPlan(Struct, frozen=True):
    """Crop, resize and padding along one axis, in pixels.

    Attributes:
        source: length of the source.
        start, length: the part of the source that is used.
        scaled: the length this part is resized to.
        canvas: length of the result.
        offset: position of the resized part on the canvas: if negative, the overhang is cropped; if positive,
            the rest is padded.
    """

    source: int
    start: int
    length: int
    scaled: int
    canvas: int
    offset: int


class Plan(Struct, frozen=True):
    """Crop, resize and padding along both axes."""

    x: AxisPlan
    y: AxisPlan

    @property
    def width(self) -> int:
        """Width of the result."""
        return self.x.canvas

    @property
    def height(self) -> int:
        """Height of the result."""
        return self.y.canvas


def plan(source_w: int, source_h: int, recipe: Recipe) -> Plan:
    """The plan of a recipe for a source of this size (after EXIF orientation).

    Sizes are rounded to the nearest pixel, halves up, and are at least 1; the side that determines the scale
    is exactly as requested. If one side is requested, the other follows from the aspect ratio, in any mode.
    Without enlargement no side of the result is longer than the source's, except that FIT_EXACT pads a small
    source at its own size.

    A smart crop (`crop`), whose position depends on the pixels, is planned as a centre crop.
    """
    source, recipe = (source_w, source_h), recipe.normal()
    box = _box(source, recipe)
    if not recipe.enlarge and recipe.mode in {Mode.SCALE, Mode.COVER_EXACT}:
        box = _smaller_of(box, source)
    if recipe.width is None or recipe.height is None:
        scaled = box  # it has the aspect ratio already: fitting it again would round twice
    elif recipe.mode is Mode.COVER_EXACT:
        return _cover_exact(source, box, recipe.focal)
    else:
        scaled = _scaled(source, box, recipe.mode)
    if not recipe.enlarge and (scaled[0] > source_w or scaled[1] > source_h):
        scaled = source
    canvas = box if recipe.mode is Mode.FIT_EXACT else scaled
    x, y = (_centred(source[i], source[i], scaled[i], canvas[i]) for i in (0, 1))
    return Plan(x, y)


def check_output(plan: Plan, source_w: int, source_h: int, limits: OutputLimits) -> None:
    """Check the size of the result against the limits.

    A result that is not larger than the source in either direction is always allowed: accepted originals can
    be delivered. The intermediate size (`scaled`) needs no limit: its overhang is under two source pixels.

    Raises:
        ImageRefused: when the output is too large.
    """
    width, height = plan.width, plan.height
    if width <= source_w and height <= source_h:
        return
    if max(width, height) > limits.max_side or width * height > limits.max_pixels:
        sentence = (
            f"The result would have {size_in_words(width, height)} pixels; at most {limits.max_side} a side "
            f"and {limits.max_pixels} in all are made."
        )
        raise ImageRefused(Reason.OUTPUT_TOO_LARGE, sentence)


def as_stored(plan: Plan, orientation: int) -> Plan:
    """The plan for the stored pixels, before EXIF orientation is applied to the result."""
    x = _mirrored(plan.x) if orientation in MIRRORS_X else plan.x
    y = _mirrored(plan.y) if orientation in MIRRORS_Y else plan.y
    return Plan(y, x) if orientation in SWAPS_SIDES else Plan(x, y)


def _box(source: Size, recipe: Recipe) -> Size:
    """The requested box; missing sides follow from the source."""
    width, height = recipe.width, recipe.height
    if width is not None and height is not None:
        return width, height
    if width is not None:
        return width, _in_proportion(width, source[1], source[0])
    if height is not None:
        return _in_proportion(height, source[0], source[1]), height
    return source


def _scaled(source: Size, box: Size, mode: Mode) -> Size:
    """The size that the whole source is resized to."""
    if mode is Mode.SCALE:
        return box
    (source_w, source_h), (width, height) = source, box
    if _width_binds(source, box, covering=mode is Mode.COVER):
        return width, _in_proportion(width, source_h, source_w)
    return _in_proportion(height, source_w, source_h), height


def _width_binds(source: Size, box: Size, *, covering: bool) -> bool:
    """Whether the width of the box, not its height, determines the scale (both, if the aspects are equal)."""
    by_width, by_height = box[0] * source[1], box[1] * source[0]
    return by_width >= by_height if covering else by_width <= by_height


def _cover_exact(source: Size, box: Size, focal: Focal | None) -> Plan:
    """Cover the box, using only the part of the source that remains: the overhang may be very long."""
    (source_w, source_h), (width, height) = source, box
    if _width_binds(source, box, covering=True):
        y = _cover_axis(source_h, height, Fraction(width, source_w), None if focal is None else focal.y)
        return Plan(_centred(source_w, source_w, width, width), y)
    x = _cover_axis(source_w, width, Fraction(height, source_h), None if focal is None else focal.x)
    return Plan(x, _centred(source_h, source_h, height, height))


def _cover_axis(source: int, size: int, scale: Fraction, focal: float | None) -> AxisPlan:
    """The part of the source that covers the requested length: centred, or around a focal point."""
    if focal is None:
        needed = ceil(size / scale)
        length = needed + (source - needed) % 2  # equal margins
        return _centred(source, length, _rounded(length * scale), size)
    point = Fraction(round(focal * 10**FOCAL_DECIMALS), 10**FOCAL_DECIMALS) * source * scale
    left = min(max(point - Fraction(size, 2), Fraction(0)), source * scale - size)
    start, end = floor(left / scale), min(source, ceil((left + size) / scale))
    scaled = _rounded((end - start) * scale)
    clipped = min(_rounded(left - start * scale, minimum=0), scaled - size)
    return AxisPlan(source, start, end - start, scaled, size, -clipped)


def _centred(source: int, length: int, scaled: int, canvas: int) -> AxisPlan:
    """The centre of the source in the centre of the canvas."""
    return AxisPlan(source, (source - length) // 2, length, scaled, canvas, (canvas - scaled) // 2)


def _mirrored(axis: AxisPlan) -> AxisPlan:
    return replace(
        axis,
        start=axis.source - axis.start - axis.length,
        offset=axis.canvas - axis.scaled - axis.offset,
    )


def _in_proportion(side: int, of: int, to: int) -> int:
    """`side * of / to`, rounded to whole pixels."""
    return _rounded(Fraction(side * of, to))


def _rounded(length: Fraction, minimum: int = 1) -> int:
    """The nearest integer, halves up, at least `minimum`."""
    return max(minimum, floor(length + HALF))


def _smaller_of(box: Size, source: Size) -> Size:
    return min(box[0], source[0]), min(box[1], source[1])


def check_writable(planned: Plan, target: FormatSpec) -> None:
    """Check the size of the result against the limit of the format itself.

    Raises:
        ImageRefused: when the output is too large.
    """
    width, height = planned.width, planned.height
    if max(width, height) > target.max_side:
        sentence = (
            f"The result would have {size_in_words(width, height)} pixels; {target.name} "
            f"has room for {target.max_side} a side."
        )
        raise ImageRefused(Reason.OUTPUT_TOO_LARGE, sentence)
