"""Sizes and positions of a rendition: whole numbers and no pixels.

A size is a pair (width, height) in pixels.
"""

from msgspec import Struct

from tintype.imaging.errors import ImageRefused, Reason, size_in_words
from tintype.imaging.recipe import Mode, Recipe

Size = tuple[int, int]

# What the EXIF orientations do to a picture as stored so that a person sees it upright (TIFF 6.0, page 36).
SWAPS_SIDES = frozenset({5, 6, 7, 8})
MIRRORS_X = frozenset({2, 3, 6, 7})
MIRRORS_Y = frozenset({3, 4, 7, 8})


class OutputLimits(Struct, frozen=True, kw_only=True):
    """How large a rendition may be, in pixels: a side, and all of it."""

    max_side: int = 8192
    max_pixels: int = 40_000_000


class Plan(Struct, frozen=True, kw_only=True):
    """What becomes of a picture's pixels.

    Attributes:
        region_w, region_h: the middle part of the source that is used. Both margins of a direction are equal,
            so it stays where it is however the picture is turned or mirrored.
        scaled_w, scaled_h: the size that the region is resized to.
        canvas_w, canvas_h: the size of the result.
        offset_x, offset_y: where the resized region's top left corner lies on the canvas: below zero the
            overhang is clipped, above it the rest is padded.
    """

    region_w: int
    region_h: int
    scaled_w: int
    scaled_h: int
    canvas_w: int
    canvas_h: int
    offset_x: int
    offset_y: int


def plan(source_w: int, source_h: int, recipe: Recipe) -> Plan:
    """The plan of a recipe for a source of this size, as a person sees it.

    Sizes are rounded to the nearest pixel, halves up, and are at least 1; the side that binds is exactly the
    one asked. When one side is asked the other follows from the aspect, in any mode. Without enlargement no
    side of the result is longer than the source's, except that fit-exact pads a small source as it is.
    """
    source, recipe = (source_w, source_h), recipe.normal()
    box = _box(source, recipe)
    if not recipe.enlarge and recipe.mode in {Mode.SCALE, Mode.COVER_EXACT}:
        box = _smaller(box, source)
    if recipe.width is None or recipe.height is None:
        scaled = box  # it has the aspect already: fitting it once more would round it a second time
    elif recipe.mode is Mode.COVER_EXACT:
        return _clipped(source, box)
    else:
        scaled = _scaled(source, box, recipe.mode)
    if not recipe.enlarge and (scaled[0] > source_w or scaled[1] > source_h):
        scaled = source
    return _placed(source, scaled, box if recipe.mode is Mode.FIT_EXACT else scaled)


def check_output(plan: Plan, source_w: int, source_h: int, limits: OutputLimits) -> None:
    """Raise ImageRefused (output too large) when the result goes beyond the limits.

    A result no longer than the source in either side is never too large: what was accepted can be delivered.
    The size between (scaled) needs no limit: its overhang is less than two source pixels, enlarged.
    """
    width, height = plan.canvas_w, plan.canvas_h
    if width <= source_w and height <= source_h:
        return
    if max(width, height) > limits.max_side or width * height > limits.max_pixels:
        sentence = (
            f"The result would have {size_in_words(width, height)} pixels; at most {limits.max_side} a side "
            f"and {limits.max_pixels} in all are made."
        )
        raise ImageRefused(Reason.OUTPUT_TOO_LARGE, sentence)


def as_stored(plan: Plan, orientation: int) -> Plan:
    """The plan for the pixels as they lie in the file, so that the result, brought upright, is the plan's."""
    x = _mirrored(plan.canvas_w, plan.scaled_w, plan.offset_x, mirror=orientation in MIRRORS_X)
    y = _mirrored(plan.canvas_h, plan.scaled_h, plan.offset_y, mirror=orientation in MIRRORS_Y)
    across = (plan.region_w, plan.scaled_w, plan.canvas_w, x)
    down = (plan.region_h, plan.scaled_h, plan.canvas_h, y)
    if orientation in SWAPS_SIDES:
        across, down = down, across
    return Plan(
        region_w=across[0],
        region_h=down[0],
        scaled_w=across[1],
        scaled_h=down[1],
        canvas_w=across[2],
        canvas_h=down[2],
        offset_x=across[3],
        offset_y=down[3],
    )


def _box(source: Size, recipe: Recipe) -> Size:
    """The box that is asked for, with the sides that weren't asked filled in."""
    width, height = recipe.width, recipe.height
    if width is not None and height is not None:
        return width, height
    if width is not None:
        return width, _in_proportion(width, source[1], source[0])
    if height is not None:
        return _in_proportion(height, source[0], source[1]), height
    return source


def _scaled(source: Size, box: Size, mode: Mode) -> Size:
    """The size that the whole source is resized to for the box."""
    if mode is Mode.SCALE:
        return box
    (source_w, source_h), (width, height) = source, box
    if _width_binds(source, box, covering=mode is Mode.COVER):
        return width, _in_proportion(width, source_h, source_w)
    return _in_proportion(height, source_w, source_h), height


def _width_binds(source: Size, box: Size, *, covering: bool) -> bool:
    """Whether the box's width, not its height, decides the scale (both, when the aspects are the same)."""
    by_width, by_height = box[0] * source[1], box[1] * source[0]
    return by_width >= by_height if covering else by_width <= by_height


def _clipped(source: Size, box: Size) -> Plan:
    """Cover the box, using no more of the source than it takes: the overhang may be a thousand boxes wide."""
    (source_w, source_h), (width, height) = source, box
    if _width_binds(source, box, covering=True):
        region = (source_w, _covering(height, source_w, width, source_h))
        scaled = (width, _in_proportion(width, region[1], source_w))
    else:
        region = (_covering(width, source_h, height, source_w), source_h)
        scaled = (_in_proportion(height, region[0], source_h), height)
    return _placed(region, scaled, box)


def _covering(asked: int, per: int, scale: int, whole: int) -> int:
    """The fewest source pixels that cover the asked ones at the scale (scale / per), with equal margins."""
    needed = -(-asked * per // scale)
    return needed + (whole - needed) % 2


def _placed(region: Size, scaled: Size, canvas: Size) -> Plan:
    """The plan with the scaled region in the middle of the canvas."""
    return Plan(
        region_w=region[0],
        region_h=region[1],
        scaled_w=scaled[0],
        scaled_h=scaled[1],
        canvas_w=canvas[0],
        canvas_h=canvas[1],
        offset_x=(canvas[0] - scaled[0]) // 2,
        offset_y=(canvas[1] - scaled[1]) // 2,
    )


def _mirrored(canvas: int, scaled: int, offset: int, *, mirror: bool) -> int:
    return canvas - scaled - offset if mirror else offset


def _in_proportion(side: int, of: int, to: int) -> int:
    """The side times of / to, rounded to the nearest whole number, halves up, and at least 1."""
    return max(1, (2 * side * of + to) // (2 * to))


def _smaller(box: Size, source: Size) -> Size:
    return min(box[0], source[0]), min(box[1], source[1])
