"""Which sizes of renditions are made, capped and refused."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.imaging import (
    Format,
    ImageRefused,
    Mode,
    OutputLimits,
    Reason,
    Recipe,
    plan,
    spec,
    within_limits,
)

LIMITS = OutputLimits()
SIDES = st.none() | st.integers(1, 12_000)
RECIPES = st.builds(
    Recipe,
    mode=st.sampled_from(Mode),
    width=SIDES,
    height=SIDES,
    enlarge=st.booleans(),
    dpr=st.sampled_from([1.0, 2.0, 0.3]),
)
SOURCES = st.tuples(st.integers(1, 20_000), st.integers(1, 20_000))
WRITABLE = [format for format in Format if spec(format).saver]


def made(
    source: tuple[int, int], recipe: Recipe, format: Format = Format.JPEG, limits: OutputLimits = LIMITS
) -> tuple[int, int]:
    """The size that is made."""
    planned = plan(*source, within_limits(source, recipe, limits, spec(format)))
    return planned.width, planned.height


def recipe(mode: Mode, width: int | None, height: int | None) -> Recipe:
    return Recipe(mode=mode, width=width, height=height)


@pytest.mark.parametrize(
    ("source", "asked", "size"),
    [
        # A sliver that covers: 18,000 by 150.
        ((1200, 10), recipe(Mode.COVER, 200, 150), (8192, 68)),  # 68.27
        ((10, 1200), recipe(Mode.COVER, 150, 200), (68, 8192)),
        ((400, 300), recipe(Mode.COVER, 6_000, 6_000), (7302, 5477)),  # 40 megapixels: 7302.97 by 5477.23
        ((100, 80), recipe(Mode.FIT, None, 8_000), (7071, 5656)),  # 40 megapixels: 7071.07 by 5656.85
        ((1200, 10), recipe(Mode.FIT, None, 100), (8192, 68)),
        ((1200, 10), recipe(Mode.SCALE, None, 100), (8192, 68)),
        ((1200, 10), Recipe(width=None, height=50, dpr=2), (8192, 68)),
        # The size of the source is always allowed.
        ((18_000, 100), recipe(Mode.COVER, 20, 200), (18_000, 100)),
        ((18_000, 100), recipe(Mode.FIT, None, 200), (18_000, 100)),
        ((18_000, 100), recipe(Mode.FIT, None, None), (18_000, 100)),
        # Within the limits nothing changes.
        ((1200, 10), recipe(Mode.COVER, 200, 60), (7200, 60)),
        ((400, 300), recipe(Mode.COVER_EXACT, 8_000, 5_000), (8_000, 5_000)),
    ],
)
def test_a_size_that_follows_from_the_aspect_is_capped_with_it(
    source: tuple[int, int], asked: Recipe, size: tuple[int, int]
) -> None:
    assert made(source, asked) == size


@pytest.mark.parametrize(
    ("source", "asked"),
    [
        ((400, 300), recipe(Mode.COVER_EXACT, 8_192, 8_192)),
        ((400, 300), recipe(Mode.SCALE, 8_193, 1)),
        ((400, 300), recipe(Mode.FIT_EXACT, 1, 8_193)),
        ((400, 300), recipe(Mode.COVER, 8_192, 8_192)),
        ((400, 300), recipe(Mode.COVER, 8_193, 1)),
        ((400, 300), recipe(Mode.FIT, 8_192, 8_192)),  # 8,192 by 6,144 is more than 40 megapixels
        ((400, 300), recipe(Mode.FIT, 8_193, None)),
        ((300, 400), recipe(Mode.FIT, None, 8_193)),
        ((400, 300), Recipe(width=4_100, dpr=2)),
    ],
)
def test_what_is_asked_for_and_too_large_is_refused(source: tuple[int, int], asked: Recipe) -> None:
    with pytest.raises(ImageRefused) as refused:
        made(source, asked)
    assert refused.value.reason is Reason.OUTPUT_TOO_LARGE


def test_the_room_of_the_format_is_a_limit_too() -> None:
    assert made((18_000, 100), Recipe(), Format.WEBP) == (16_383, 91)  # 91.02
    assert made((18_000, 100), recipe(Mode.FIT, None, 99), Format.WEBP) == (16_383, 91)
    with pytest.raises(ImageRefused, match="WebP has room for 16383 a side"):
        made((18_000, 100), recipe(Mode.FIT, 17_000, None), Format.WEBP)


def test_few_pixels_are_a_limit_of_the_longest_side_too() -> None:
    assert made((2, 1), recipe(Mode.FIT, None, 2), limits=OutputLimits(max_pixels=2)) == (2, 1)
    assert made((1, 1), recipe(Mode.COVER, 1, 1), limits=OutputLimits(max_pixels=1)) == (1, 1)


def test_memory_is_a_limit_that_the_source_has_too() -> None:
    source, jpeg = (6_000, 4_000), spec(Format.JPEG)
    capped = within_limits(source, Recipe(), LIMITS, jpeg, affordable=6_000_000)
    assert (capped.width, capped.height) == (3_000, 2_000)
    assert within_limits(source, capped, LIMITS, jpeg, affordable=6_000_000) == capped
    with pytest.raises(ImageRefused, match="there is memory for 6000000 of it") as refused:
        within_limits(source, recipe(Mode.COVER_EXACT, 3_000, 2_001), LIMITS, jpeg, affordable=6_000_000)
    assert refused.value.reason is Reason.TOO_COSTLY


@given(SOURCES, RECIPES, st.sampled_from(WRITABLE))
def test_what_is_not_refused_is_within_the_limits_and_as_it_was_but_for_its_size(
    source: tuple[int, int], asked: Recipe, format: Format
) -> None:
    planned = plan(*source, asked)
    full = planned.width, planned.height
    try:
        capped = within_limits(source, asked, LIMITS, spec(format))
    except ImageRefused:
        assert max(full) > 8192 or full[0] * full[1] > 40_000_000
        return
    size = made(source, capped, format)
    assert within_limits(source, capped, LIMITS, spec(format)) == capped
    assert made(source, asked, format) == size
    assert max(size) <= spec(format).max_side
    is_no_larger = size[0] <= source[0] and size[1] <= source[1]
    assert is_no_larger or (max(size) <= 8192 and size[0] * size[1] <= 40_000_000)
    if size != full:
        assert size[0] <= full[0]
        assert size[1] <= full[1]
        # The aspect is that of the source to a pixel of the shorter side.
        shorter = Fraction(max(size) * min(source), max(source))
        assert abs(min(size) - shorter) < 1 or min(size) == 1
