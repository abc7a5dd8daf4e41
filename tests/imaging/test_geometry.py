from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.imaging import ImageRefused, Mode, OutputLimits, Plan, Reason, Recipe, check_output, plan
from tintype.imaging.geometry import as_stored

SOURCE_SIDES = st.integers(1, 20_000)
BOX_SIDES = st.integers(1, 10_000)
HALF = Fraction(1, 2)


def canvas(made: Plan) -> tuple[int, int]:
    return made.canvas_w, made.canvas_h


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
    assert (made.scaled_w, made.scaled_h) == scaled
    assert canvas(made) == result
    assert (made.offset_x, made.offset_y) == offset


@given(SOURCE_SIDES, SOURCE_SIDES, BOX_SIDES, BOX_SIDES)
def test_fit_fits_in_the_box_and_touches_it(w: int, h: int, box_w: int, box_h: int) -> None:
    made = plan(w, h, box(Mode.FIT, box_w, box_h))
    assert made.canvas_w <= box_w
    assert made.canvas_h <= box_h
    assert made.canvas_w == box_w or made.canvas_h == box_h


@given(SOURCE_SIDES, SOURCE_SIDES, BOX_SIDES, BOX_SIDES)
def test_cover_covers_the_box_and_touches_it(w: int, h: int, box_w: int, box_h: int) -> None:
    made = plan(w, h, box(Mode.COVER, box_w, box_h))
    assert made.canvas_w >= box_w
    assert made.canvas_h >= box_h
    assert made.canvas_w == box_w or made.canvas_h == box_h


@given(SOURCE_SIDES, SOURCE_SIDES, BOX_SIDES, BOX_SIDES, st.sampled_from([Mode.FIT, Mode.COVER]))
def test_the_aspect_is_kept_within_half_a_pixel(w: int, h: int, box_w: int, box_h: int, mode: Mode) -> None:
    made = plan(w, h, box(mode, box_w, box_h))
    scales = Fraction(box_w, w), Fraction(box_h, h)
    scale = min(scales) if mode is Mode.FIT else max(scales)
    assert abs(made.canvas_w - w * scale) <= HALF or made.canvas_w == 1
    assert abs(made.canvas_h - h * scale) <= HALF or made.canvas_h == 1


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
    assert (w - made.region_w) % 2 == (h - made.region_h) % 2 == 0
    assert made.region_w <= w
    assert made.region_h <= h
    for scaled, region, asked in (
        (made.scaled_w, made.region_w, box_w),
        (made.scaled_h, made.region_h, box_h),
    ):
        assert scaled >= asked
        assert abs(scaled - region * scale) <= HALF
        assert (region - 2) * scale < asked  # two pixels less wouldn't cover


@given(SOURCE_SIDES, SOURCE_SIDES, BOX_SIDES, BOX_SIDES, st.sampled_from(Mode))
def test_the_picture_lies_in_the_middle(w: int, h: int, box_w: int, box_h: int, mode: Mode) -> None:
    made = plan(w, h, box(mode, box_w, box_h))
    for canvas_side, scaled, offset in (
        (made.canvas_w, made.scaled_w, made.offset_x),
        (made.canvas_h, made.scaled_h, made.offset_y),
    ):
        before, after = offset, canvas_side - scaled - offset
        assert abs(before - after) <= 1


@given(SOURCE_SIDES, SOURCE_SIDES, BOX_SIDES, st.sampled_from(Mode))
def test_a_single_side_is_kept_and_the_other_follows(w: int, h: int, side: int, mode: Mode) -> None:
    by_width, by_height = plan(w, h, box(mode, side, None)), plan(w, h, box(mode, None, side))
    assert by_width.canvas_w == by_height.canvas_h == side
    assert by_width.canvas_h == max(1, int(Fraction(side * h, w) + HALF))
    assert by_height.canvas_w == max(1, int(Fraction(side * w, h) + HALF))


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
    assert made.scaled_w <= made.region_w <= w
    assert made.scaled_h <= made.region_h <= h
    if mode is not Mode.FIT_EXACT:
        assert made.canvas_w <= w
        assert made.canvas_h <= h


@given(SOURCE_SIDES, SOURCE_SIDES, BOX_SIDES, BOX_SIDES)
def test_what_fits_already_keeps_its_size_without_enlargement(
    w: int, h: int, more_w: int, more_h: int
) -> None:
    recipe = box(Mode.FIT, w + more_w - 1, h + more_h - 1, enlarge=False)
    assert canvas(plan(w, h, recipe)) == (w, h)


@given(SOURCE_SIDES, SOURCE_SIDES, BOX_SIDES, BOX_SIDES, st.sampled_from(Mode), st.integers(1, 8))
def test_as_stored_swaps_the_sides_of_what_lies_on_its_side(
    w: int, h: int, box_w: int, box_h: int, mode: Mode, orientation: int
) -> None:
    made = plan(w, h, box(mode, box_w, box_h))
    stored = as_stored(made, orientation)
    assert canvas(stored) == (canvas(made) if orientation <= 4 else canvas(made)[::-1])
    assert abs(stored.offset_x * 2 + stored.scaled_w - stored.canvas_w) <= 1
    assert abs(stored.offset_y * 2 + stored.scaled_h - stored.canvas_h) <= 1
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
