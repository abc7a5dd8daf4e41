"""How large a picture may be that anybody can ask for."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tests.core.conftest import Instance
from tests.core.rendering import rendition
from tintype.core.runtime.unsigned_limits import UnsignedLimits
from tintype.imaging import (
    Format,
    ImageRefused,
    Mode,
    OutputLimits,
    Recipe,
    extras,
    output_format,
    plan,
    spec,
    within_limits,
)
from tintype.model import Error, Invalid, LinkTarget
from tintype.model.ids import parse_uuid

IMAGE = parse_uuid("0192f3a4-0000-7000-8000-000000000000")
LIMITS = UnsignedLimits(2.0, 2_500, OutputLimits())

sides = st.one_of(st.none(), st.integers(1, 9_000))


def source(width: int, height: int, format: Format = Format.JPEG) -> LinkTarget:
    assert IMAGE is not None
    return LinkTarget(IMAGE, 1, 1, width, height, format)


def takes(of: LinkTarget, width: int | None, height: int | None, mode: Mode = Mode.FIT) -> bool:
    return LIMITS.accepts(of, mode, width, height)


@pytest.mark.parametrize(
    ("original", "box", "taken"),
    [
        ((100, 80), (2_500, 2_500), True),
        ((100, 80), (2_501, 2_501), False),
        ((100, 80), (2_500, None), True),
        ((100, 80), (None, 2_000), True),  # 2,500 wide
        ((100, 80), (None, 2_001), True),  # the width is capped
        ((100, 80), (None, 2_501), False),
        ((3_000, 2_000), (6_000, 6_000), True),
        ((3_000, 2_000), (6_001, 6_001), False),
        ((3_000, 2_000), (None, 4_001), True),
        ((3_000, 2_000), (None, 6_001), False),
        ((7_000, 5_000), (8_192, 8_192), False),  # 8,192 by 5,851 is more than 40 megapixels
        ((7_000, 3_000), (8_192, 8_192), True),
        ((7_000, 3_000), (8_193, 8_193), False),  # beyond what any rendition is enlarged to
        ((10_000, 9_000), (None, None), True),  # as it is
        ((10_000, 9_000), (10_000, 9_000), True),
    ],
)
def test_an_enlargement_ends_at_twice_the_original_or_2500_pixels_and_at_the_limits_for_all(
    original: tuple[int, int], box: tuple[int | None, int | None], *, taken: bool
) -> None:
    assert takes(source(*original), *box) is taken


@pytest.mark.parametrize(
    ("mode", "size"),
    [
        (Mode.FIT, (400, 40)),
        (Mode.COVER, (2_500, 250)),
        (Mode.COVER_EXACT, (400, 400)),
        (Mode.SCALE, (400, 400)),
    ],
)
def test_what_hangs_over_is_capped_where_it_is_delivered(mode: Mode, size: tuple[int, int]) -> None:
    """1,000 by 100 that covers 400 by 400 is 4,000 by 400."""
    fitted = plan(1_000, 100, LIMITS.fit(source(1_000, 100), Recipe(mode=mode, width=400, height=400)))
    assert (fitted.width, fitted.height) == size


def test_signed_links_have_the_limits_of_every_picture_only() -> None:
    signed = LIMITS.for_signed()
    assert signed.accepts(source(100, 80), Mode.SCALE, 8_192, 10)
    assert not signed.accepts(source(100, 80), Mode.SCALE, 8_193, 10)
    assert not signed.accepts(source(100, 80), Mode.SCALE, 8_192, 8_192)


@given(st.builds(source, st.integers(1, 20_000), st.integers(1, 20_000)), st.sampled_from(Mode), sides, sides)
def test_what_is_always_taken_is_taken(
    of: LinkTarget, mode: Mode, width: int | None, height: int | None
) -> None:
    assert LIMITS.accepts(of, mode, width, height) or not LIMITS.always_accepts(mode, width, height)
    assert LIMITS.always_accepts(Mode.FIT, 2_500, 2_500)


def test_the_room_of_the_format_counts() -> None:
    avif = source(17_000, 10, Format.AVIF)
    assert plan(17_000, 10, LIMITS.fit(avif, Recipe())).width == 16_384
    assert not takes(avif, 16_385, None)
    assert takes(source(17_000, 10, Format.PNG), None, None)
    assert takes(source(17_000, 10, Format.TIFF), None, None)


@given(
    st.builds(source, st.integers(1, 20_000), st.integers(1, 20_000), st.sampled_from(Format)),
    st.sampled_from(Mode),
    sides,
    sides,
)
def test_it_is_told_quickly_as_it_is_told_thoroughly(
    of: LinkTarget, mode: Mode, width: int | None, height: int | None
) -> None:
    recipe = Recipe(mode=mode, width=width, height=height)
    longest = max(of.width, of.height)
    limits = OutputLimits(max_side=min(8_192, max(2_500, 2 * longest)))
    target = spec(output_format(of.format, recipe, has_alpha=False))
    if LIMITS.accepts(of, mode, width, height):
        thorough = within_limits((of.width, of.height), recipe, limits, target)
        assert LIMITS.fit(of, recipe).normal() == thorough
        return
    with pytest.raises(ImageRefused):
        within_limits((of.width, of.height), recipe, limits, target)


def test_a_format_that_is_not_installed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "is_installed", lambda entry: entry.package is None)
    LIMITS.require(source(10, 10, Format.TIFF), Recipe(format=Format.WEBP))
    for of, recipe in ((Format.HEIC, Recipe(width=5)), (Format.JPEG, Recipe(format=Format.JXL))):
        with pytest.raises(Invalid, match="when the extra is installed"):
            LIMITS.require(source(10, 10, of), recipe)


async def test_what_is_taken_is_made_and_at_the_same_size(instance: Instance) -> None:
    """At the edge of the limits that the services have: 1,000 pixels a side."""
    image = await instance.add()
    limits = structs.replace(LIMITS, output=instance.services.images.output_limits())
    for side, taken in ((1_000, True), (1_001, False)):
        recipe = Recipe(mode=Mode.SCALE, width=side, height=10)
        assert limits.accepts(image, recipe.mode, side, 10) is taken
        try:
            await rendition(instance.services, image, recipe)
        except Error:
            assert not taken
        else:
            assert taken


WITH_MEMORY = structs.replace(LIMITS.for_signed(), memory=800_000_000)


@pytest.mark.parametrize(
    ("recipe", "most"),
    [
        # 85 % of the memory, by the bytes per pixel of encoder and copies.
        (Recipe(format=Format.WEBP, lossless=True), 680_000_000 // (43 + 4)),
        (Recipe(format=Format.WEBP), 680_000_000 // (32 + 4)),
        (Recipe(format=Format.GIF), 680_000_000 // (36 + 4)),
        (Recipe(format=Format.AVIF), 680_000_000 // (32 + 4)),  # what stands in for it: WebP
        (Recipe(auto=True), 680_000_000 // (32 + 4)),
        (Recipe(format=Format.WEBP, max_bytes=9), 680_000_000 // (32 + 8)),
    ],
)
def test_what_there_is_no_memory_for_is_refused_if_it_is_asked_for_and_else_capped(
    recipe: Recipe, most: int
) -> None:
    of = source(6_000, 5_000, Format.PNG)
    capped = WITH_MEMORY.fit(of, recipe)
    assert capped.width is not None
    assert capped.height is not None
    assert most - 12_000 < capped.width * capped.height <= most
    side = math.isqrt(most)
    for asked, taken in ((side, True), (side + 1, False)):
        exact = structs.replace(recipe, mode=Mode.SCALE, width=asked, height=asked)
        if taken:
            assert WITH_MEMORY.fit(of, exact).normal() == exact.normal()
            continue
        with pytest.raises(Invalid, match="there is memory for"):
            WITH_MEMORY.fit(of, exact)


@given(
    st.builds(source, st.integers(1, 20_000), st.integers(1, 20_000), st.sampled_from(Format)),
    st.sampled_from(Mode),
    sides,
    sides,
)
def test_what_is_told_quickly_has_the_memory_of_any_format(
    of: LinkTarget, mode: Mode, width: int | None, height: int | None
) -> None:
    try:
        fitted = plan(of.width, of.height, WITH_MEMORY.fit(of, Recipe(mode=mode, width=width, height=height)))
    except Invalid:
        return
    assert fitted.width * fitted.height * (7 if of.format is Format.JPEG else 9) <= 680_000_000
    if WITH_MEMORY.always_accepts(mode, width, height):
        assert fitted.width * fitted.height * 47 <= 680_000_000
