from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tintype.imaging import Focal, ImageRefused, Mode, OutputLimits, Plan, Reason, Recipe, check_output, plan
from tintype.imaging.recipe.geometry import AxisPlan, as_stored

SOURCE_SIDES = st.integers(1, 20_000)
BOX_SIDES = st.integers(1, 10_000)
HALF = Fraction(1, 2)


def canvas(made: Plan) -> tuple[int, int]:
    return made.width, made.height


def box(mode: Mode, width: int | None, height: int | None, *, enlarge: bool = True) -> Recipe:
    return Recipe(mode=mode, width=width, height=height, enlarge=enlarge)


@pytest.mark.parametrize(
    ("source", "recipe", "scaled", "result", "offset"),
    [
        ((300, 200), box(Mode.SCALE, 100, 100), (100, 100), (100, 100), (0, 0)),
        ((300, 200), box(Mode.COVER, 100, 100), (150, 100), (150, 100), (0, 0)),
        ((300, 200), box(Mode.COVER_EXACT, 100, 100), (100, 100), (100, 100), (0, 0)),
        ((300, 200), box(Mode.FIT, 100, 100), (100, 67), (100, 67), (0, 0)),
        ((300, 200), box(Mode.FIT_EXACT, 100, 100), (100, 67), (100, 100), (0, 16)),
        # Two of the three source pixels would do, but not with equal margins.
        ((3, 2), box(Mode.COVER_EXACT, 100, 100), (150, 100), (100, 100), (-25, 0)),
        # Halves up: 5 times 50 / 100 = 2.5.
        ((100, 5), box(Mode.FIT, 50, None), (50, 3), (50, 3), (0, 0)),
        # Never less than a pixel.
        ((20_000, 1), box(Mode.FIT, 100, 100), (100, 1), (100, 1), (0, 0)),
        # The other side is rounded once, not twice: 2 times 100 / 3 = 66.7.
        ((3, 2), box(Mode.COVER, 100, None), (100, 67), (100, 67), (0, 0)),
        # Without enlargement the exact fit pads the source as it is.
        ((30, 20), box(Mode.FIT_EXACT, 60, 60, enlarge=False), (30, 20), (60, 60), (15, 20)),
    ],
)
def test_worked_examples(
    source: tuple[int, int],
    recipe: Recipe,
    scaled: tuple[int, int],
    result: tuple[int, int],
    offset: tuple[int, int],
) -> None:
    made = plan(*source, recipe)
    assert (made.x.scaled, made.y.scaled) == scaled
    assert canvas(made) == result
    assert (made.x.offset, made.y.offset) == offset


@given(SOURCE_SIDES, SOURCE_SIDES, BOX_SIDES, BOX_SIDES)
def test_fit_fits_in_the_box_and_touches_it(w: int, h: int, box_w: int, box_h: int) -> None:
    made = plan(w, h, box(Mode.FIT, box_w, box_h))
    assert made.width <= box_w
    assert made.height <= box_h
    assert made.width == box_w or made.height == box_h


@given(SOURCE_SIDES, SOURCE_SIDES, BOX_SIDES, BOX_SIDES)
def test_cover_covers_the_box_and_touches_it(w: int, h: int, box_w: int, box_h: int) -> None:
    made = plan(w, h, box(Mode.COVER, box_w, box_h))
    assert made.width >= box_w
    assert made.height >= box_h
    assert made.width == box_w or made.height == box_h


@given(SOURCE_SIDES, SOURCE_SIDES, BOX_SIDES, BOX_SIDES, st.sampled_from([Mode.FIT, Mode.COVER]))
def test_the_aspect_is_kept_within_half_a_pixel(w: int, h: int, box_w: int, box_h: int, mode: Mode) -> None:
    made = plan(w, h, box(mode, box_w, box_h))
    scales = Fraction(box_w, w), Fraction(box_h, h)
    scale = min(scales) if mode is Mode.FIT else max(scales)
    assert abs(made.width - w * scale) <= HALF or made.width == 1
    assert abs(made.height - h * scale) <= HALF or made.height == 1


@given(SOURCE_SIDES, SOURCE_SIDES, BOX_SIDES, BOX_SIDES)
def test_exact_modes_are_exact(w: int, h: int, box_w: int, box_h: int) -> None:
    for mode in (Mode.SCALE, Mode.COVER_EXACT, Mode.FIT_EXACT):
        assert canvas(plan(w, h, box(mode, box_w, box_h))) == (box_w, box_h)


@given(SOURCE_SIDES, SOURCE_SIDES, BOX_SIDES, BOX_SIDES)
def test_cover_exact_uses_the_middle_of_the_source_and_little_more_than_it_shows(
    w: int, h: int, box_w: int, box_h: int
) -> None:
    made = plan(w, h, box(Mode.COVER_EXACT, box_w, box_h))
    scale = max(Fraction(box_w, w), Fraction(box_h, h))
    assert (w - made.x.length) % 2 == (h - made.y.length) % 2 == 0
    assert made.x.length <= w
    assert made.y.length <= h
    for scaled, region, asked in (
        (made.x.scaled, made.x.length, box_w),
        (made.y.scaled, made.y.length, box_h),
    ):
        assert scaled >= asked
        assert abs(scaled - region * scale) <= HALF
        assert (region - 2) * scale < asked  # two pixels less wouldn't cover


@given(SOURCE_SIDES, SOURCE_SIDES, BOX_SIDES, BOX_SIDES, st.sampled_from(Mode))
def test_the_picture_lies_in_the_middle(w: int, h: int, box_w: int, box_h: int, mode: Mode) -> None:
    made = plan(w, h, box(mode, box_w, box_h))
    for canvas_side, scaled, offset in (
        (made.width, made.x.scaled, made.x.offset),
        (made.height, made.y.scaled, made.y.offset),
    ):
        before, after = offset, canvas_side - scaled - offset
        assert abs(before - after) <= 1


@given(SOURCE_SIDES, SOURCE_SIDES, BOX_SIDES, st.sampled_from(Mode))
def test_a_single_side_is_kept_and_the_other_follows(w: int, h: int, side: int, mode: Mode) -> None:
    by_width, by_height = plan(w, h, box(mode, side, None)), plan(w, h, box(mode, None, side))
    assert by_width.width == by_height.height == side
    assert by_width.height == max(1, int(Fraction(side * h, w) + HALF))
    assert by_height.width == max(1, int(Fraction(side * w, h) + HALF))


@given(SOURCE_SIDES, SOURCE_SIDES, st.sampled_from(Mode), st.booleans())
def test_without_a_box_the_size_stays(w: int, h: int, mode: Mode, enlarge: bool) -> None:  # noqa: FBT001  # hypothesis passes it
    assert canvas(plan(w, h, box(mode, None, None, enlarge=enlarge))) == (w, h)


@given(
    SOURCE_SIDES,
    SOURCE_SIDES,
    st.none() | BOX_SIDES,
    st.none() | BOX_SIDES,
    st.sampled_from(Mode),
)
def test_without_enlargement_nothing_is_enlarged(
    w: int, h: int, box_w: int | None, box_h: int | None, mode: Mode
) -> None:
    made = plan(w, h, box(mode, box_w, box_h, enlarge=False))
    assert made.x.scaled <= made.x.length <= w
    assert made.y.scaled <= made.y.length <= h
    if mode is not Mode.FIT_EXACT:
        assert made.width <= w
        assert made.height <= h


@given(SOURCE_SIDES, SOURCE_SIDES, BOX_SIDES, BOX_SIDES)
def test_what_fits_already_keeps_its_size_without_enlargement(
    w: int, h: int, more_w: int, more_h: int
) -> None:
    recipe = box(Mode.FIT, w + more_w - 1, h + more_h - 1, enlarge=False)
    assert canvas(plan(w, h, recipe)) == (w, h)


FRACTIONS = st.integers(0, 10_000).map(lambda steps: Fraction(steps, 10_000))


def around(x: Fraction, y: Fraction, box_w: int, box_h: int) -> Recipe:
    focal = Focal(float(x), float(y))
    return Recipe(mode=Mode.COVER_EXACT, width=box_w, height=box_h, focal=focal)


def test_a_focal_point_worked_by_hand() -> None:
    made = plan(3000, 1000, around(Fraction(1, 4), HALF, 100, 100))
    # At a tenth the point is at 75 of 300, in the middle of 100 pixels from 25 on: from 250 of the source.
    assert made.x == AxisPlan(3000, 250, 1000, 100, 100, 0)
    assert made.y == AxisPlan(1000, 0, 1000, 100, 100, 0)
    assert plan(3000, 1000, around(Fraction(0), HALF, 100, 100)).x.start == 0
    assert plan(3000, 1000, around(Fraction(1), HALF, 100, 100)).x.start == 2000


@given(SOURCE_SIDES, SOURCE_SIDES, BOX_SIDES, BOX_SIDES, FRACTIONS, FRACTIONS)
def test_a_focal_point_stays_in_sight_as_near_to_the_middle_as_can_be(
    w: int, h: int, box_w: int, box_h: int, x: Fraction, y: Fraction
) -> None:
    assume((x, y) != (HALF, HALF))  # which is cut with equal margins instead
    made = plan(w, h, around(x, y, box_w, box_h))
    scale = max(Fraction(box_w, w), Fraction(box_h, h))
    assert canvas(made) == (box_w, box_h)
    for part, at in ((made.x, x), (made.y, y)):
        assert 0 <= part.start <= part.start + part.length <= part.source
        assert part.canvas <= part.scaled
        assert part.canvas - part.scaled <= part.offset <= 0
        # Where the canvas begins in the whole source, scaled, against where it should.
        begins = part.start * scale - part.offset
        most = part.source * scale - part.canvas
        ideal = min(max(at * part.source * scale - Fraction(part.canvas, 2), Fraction(0)), most)
        assert abs(begins - ideal) <= 1
        assert begins - 1 <= at * part.source * scale <= begins + part.canvas + 1
        assert (part.length - 2) * scale < part.canvas  # two pixels less wouldn't cover


@given(SOURCE_SIDES, SOURCE_SIDES, BOX_SIDES, BOX_SIDES, FRACTIONS, FRACTIONS, st.integers(1, 8))
def test_as_stored_is_undone_by_the_inverse(
    w: int, h: int, box_w: int, box_h: int, x: Fraction, y: Fraction, orientation: int
) -> None:
    made = plan(w, h, around(x, y, box_w, box_h))
    inverse = {6: 8, 8: 6}.get(orientation, orientation)
    assert as_stored(as_stored(made, orientation), inverse) == made


@pytest.mark.parametrize(
    ("orientation", "across", "down"),
    [
        # Seen 30 by 10 with the left third kept; where that lies in what is stored, by TIFF 6.0.
        (1, (0, 10), (0, 10)),
        (2, (20, 10), (0, 10)),
        (3, (20, 10), (0, 10)),
        (4, (0, 10), (0, 10)),
        (5, (0, 10), (0, 10)),
        (6, (0, 10), (20, 10)),
        (7, (0, 10), (20, 10)),
        (8, (0, 10), (0, 10)),
    ],
)
def test_what_is_kept_is_found_in_every_orientation(
    orientation: int, across: tuple[int, int], down: tuple[int, int]
) -> None:
    stored = as_stored(plan(30, 10, around(Fraction(0), HALF, 10, 10)), orientation)
    assert (stored.x.start, stored.x.length) == across
    assert (stored.y.start, stored.y.length) == down


@given(SOURCE_SIDES, SOURCE_SIDES, BOX_SIDES, BOX_SIDES, st.sampled_from(Mode), st.integers(1, 8))
def test_as_stored_swaps_the_sides_of_what_lies_on_its_side(
    w: int, h: int, box_w: int, box_h: int, mode: Mode, orientation: int
) -> None:
    made = plan(w, h, box(mode, box_w, box_h))
    stored = as_stored(made, orientation)
    assert canvas(stored) == (canvas(made) if orientation <= 4 else canvas(made)[::-1])
    assert abs(stored.x.offset * 2 + stored.x.scaled - stored.width) <= 1
    assert abs(stored.y.offset * 2 + stored.y.scaled - stored.height) <= 1
    inverse = {6: 8, 8: 6}.get(orientation, orientation)
    assert as_stored(stored, inverse) == made


@pytest.mark.parametrize(
    ("source", "recipe"),
    [
        ((100, 100), box(Mode.SCALE, 8193, 10)),
        ((100, 100), box(Mode.SCALE, 8000, 8000)),
        ((20_000, 10), box(Mode.COVER, 1000, 1000)),
        ((100, 100), box(Mode.FIT, 8193, None)),
        ((9000, 100), box(Mode.SCALE, 9000, 101)),
    ],
)
def test_too_large_a_result_is_refused(source: tuple[int, int], recipe: Recipe) -> None:
    with pytest.raises(ImageRefused, match="The result would have") as refusal:
        check_output(plan(*source, recipe), *source, OutputLimits())
    assert refusal.value.reason is Reason.OUTPUT_TOO_LARGE


@pytest.mark.parametrize(
    ("source", "recipe"),
    [
        ((100, 100), box(Mode.SCALE, 8192, 4882)),
        ((20_000, 5000), box(Mode.FIT, None, None)),
        ((20_000, 5000), box(Mode.FIT, 19_999, None)),
        ((20_000, 10), box(Mode.COVER_EXACT, 1000, 1000)),
    ],
)
def test_a_result_within_the_limits_or_within_the_source_is_made(
    source: tuple[int, int], recipe: Recipe
) -> None:
    check_output(plan(*source, recipe), *source, OutputLimits())
