import math
import pickle
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests import pictures
from tintype.imaging import (
    Colour,
    Crop,
    Focal,
    Format,
    Mode,
    Recipe,
    output_format,
    parse_colour,
    plan,
    render,
)
from tintype.imaging.formats import SPECS

SIDES = st.none() | st.integers(1, 9000)
FRACTIONS = st.floats(0, 1)
LEVELS = st.integers(0, 255)
COLOURS = st.builds(Colour, LEVELS, LEVELS, LEVELS, LEVELS)
WRITTEN = [entry.format for entry in SPECS if entry.saver is not None]
RECIPES = (
    st.builds(
        Recipe,
        mode=st.sampled_from(Mode),
        width=SIDES,
        height=SIDES,
        dpr=st.just(1.0) | st.floats(0.1, 8),
        enlarge=st.booleans(),
        focal=st.none() | st.builds(Focal, FRACTIONS, FRACTIONS),
        background=st.none() | COLOURS,
        format=st.none() | st.sampled_from(WRITTEN),
        quality=st.none() | st.integers(1, 100),
        max_bytes=st.none() | st.integers(1, 10_000_000),
        frames=st.none() | st.integers(1, 1000),
        linear=st.booleans(),
    )
    | st.builds(
        Recipe,
        mode=st.sampled_from(Mode),
        width=SIDES,
        height=SIDES,
        crop=st.sampled_from(Crop),
        auto=st.booleans(),
    )
    | st.builds(
        Recipe,
        width=SIDES,
        format=st.sampled_from([None, Format.PNG, Format.WEBP, Format.AVIF]),
        lossless=st.booleans(),
    )
)


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (Recipe(), "fit"),
        (Recipe(width=200, height=150), "fit,w=200,h=150"),
        (Recipe(mode=Mode.COVER_EXACT, width=8, height=9), "cover-exact,w=8,h=9"),
        (
            Recipe(mode=Mode.SCALE, width=1, height=2, enlarge=False, format=Format.WEBP, quality=50),
            "scale,w=1,h=2,enlarge=no,format=webp,q=50",
        ),
        (
            Recipe(mode=Mode.COVER_EXACT, width=8, height=9, focal=Focal(0.25, 1 / 3)),
            "cover-exact,w=8,h=9,focal=0.2500x0.3333",
        ),
        (
            Recipe(mode=Mode.COVER_EXACT, width=8, height=9, crop=Crop.ATTENTION, auto=True),
            "cover-exact,w=8,h=9,crop=attention,format=auto",
        ),
        (
            Recipe(background=Colour(255, 136, 0), lossless=True, max_bytes=900, frames=1, linear=True),
            "fit,background=ff8800,lossless=yes,max-bytes=900,frames=1,linear=yes",
        ),
        (Recipe(background=Colour(0, 0, 0, 128)), "fit,background=00000080"),
    ],
)
def test_the_canonical_form_leaves_defaults_out(recipe: Recipe, words: str) -> None:
    assert recipe.canonical() == words


@pytest.mark.parametrize(
    ("one", "same"),
    [
        (Recipe(width=100, dpr=2), Recipe(width=200)),
        (Recipe(width=3, height=10, dpr=1.15), Recipe(width=3, height=12)),  # 3.45 and 11.5
        (Recipe(width=1, dpr=0.1), Recipe(width=1)),
        (Recipe(dpr=3), Recipe()),
        (Recipe(enlarge=False), Recipe()),
        (Recipe(mode=Mode.COVER, width=9), Recipe(width=9)),
        (Recipe(mode=Mode.FIT_EXACT, height=9), Recipe(height=9)),
        (Recipe(width=9, height=9, focal=Focal(0, 0)), Recipe(width=9, height=9)),
        (Recipe(mode=Mode.COVER_EXACT, width=9, crop=Crop.ENTROPY), Recipe(width=9)),
        (
            Recipe(mode=Mode.COVER_EXACT, width=9, height=9, focal=Focal(0.50001, 0.5)),
            Recipe(mode=Mode.COVER_EXACT, width=9, height=9),
        ),
    ],
)
def test_what_makes_the_same_picture_is_the_same_recipe(one: Recipe, same: Recipe) -> None:
    assert one.normal() == same.normal()
    assert one.fingerprint() == same.fingerprint()


def test_a_small_picture_padded_to_one_side_is_another_recipe() -> None:
    padded, plain = (Recipe(mode=mode, width=60, enlarge=False) for mode in (Mode.FIT_EXACT, Mode.FIT))
    assert padded.fingerprint() != plain.fingerprint()
    assert plan(30, 20, padded) != plan(30, 20, plain)


@given(RECIPES)
def test_the_normal_recipe_is_its_own_normal(recipe: Recipe) -> None:
    normal = recipe.normal()
    assert normal.normal() == normal
    assert normal.fingerprint() == recipe.fingerprint()


@given(st.integers(1, 9000), st.integers(10, 800))
def test_a_side_is_multiplied_and_rounded_halves_up(side: int, hundredths: int) -> None:
    exact = Fraction(side * hundredths, 100)
    width = Recipe(width=side, dpr=hundredths / 100).normal().width
    assert width is not None
    assert width == 1 or width - Fraction(1, 2) <= exact < width + Fraction(1, 2)


@given(RECIPES, RECIPES)
def test_recipes_share_a_fingerprint_only_when_their_normals_are_equal(one: Recipe, other: Recipe) -> None:
    assert (one.fingerprint() == other.fingerprint()) == (one.normal() == other.normal())


@given(RECIPES, st.data())
def test_every_field_of_a_normal_recipe_is_in_its_fingerprint(recipe: Recipe, data: st.DataObject) -> None:
    normal = recipe.normal()
    field = data.draw(st.sampled_from([f.name for f in msgspec.structs.fields(Recipe)]))
    other = getattr(data.draw(RECIPES), field)
    try:
        changed = replace(normal, **{field: other})
    except ValueError:  # the two values exclude each other
        assume(False)  # noqa: FBT003  # hypothesis takes it by position
    assert (changed.fingerprint() == normal.fingerprint()) == (changed.normal() == normal)


@given(RECIPES)
def test_a_fingerprint_is_32_hexadecimal_digits(recipe: Recipe) -> None:
    assert len(recipe.fingerprint()) == 32
    assert set(recipe.fingerprint()) <= set("0123456789abcdef")


@given(RECIPES)
def test_a_recipe_survives_json_and_pickle(recipe: Recipe) -> None:
    assert msgspec.json.decode(msgspec.json.encode(recipe), type=Recipe) == recipe
    assert pickle.loads(pickle.dumps(recipe)) == recipe  # noqa: S301  # our own bytes


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        *(({"width": side}, "at least 1 pixel") for side in (0, -1)),
        *(({"height": side}, "at least 1 pixel") for side in (0, -1)),
        *(({"dpr": dpr}, "from 0.1 to 8") for dpr in (0, 0.05, 8.1, -1, math.inf, math.nan)),
        *(({"quality": quality}, "from 1 to 100") for quality in (0, 101, -5)),
        ({"max_bytes": 0}, "at least 1 byte"),
        ({"frames": 0}, "at least 1 frame"),
        ({"format": Format.TIFF}, "source only"),
        ({"format": Format.WEBP, "auto": True}, "not both"),
        ({"focal": Focal(0, 0), "crop": Crop.ATTENTION}, "leave out"),
    ],
)
def test_what_is_out_of_range_is_no_recipe(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Recipe(**fields)


@pytest.mark.parametrize(("x", "y"), [(-0.1, 0), (0, 1.1), (math.nan, 0), (0, math.inf)])
def test_a_focal_point_lies_in_the_picture(x: float, y: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        Focal(x, y)


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("ff8800", Colour(255, 136, 0)),
        ("#FF8800", Colour(255, 136, 0)),
        ("f80", Colour(255, 136, 0)),
        ("f808", Colour(255, 136, 0, 136)),
        ("00000080", Colour(0, 0, 0, 128)),
    ],
)
def test_colours_are_read_from_hexadecimal_digits(text: str, colour: Colour) -> None:
    assert parse_colour(text) == colour


@given(COLOURS)
def test_a_colour_is_read_as_it_was_written(colour: Colour) -> None:
    assert parse_colour(str(colour)) == colour


@pytest.mark.parametrize(
    "text", ["", "#", "ff", "fffff", "fffffff", "ff88 0", "red", "ff8800\n", "##fff", "٣٣٣"]
)
def test_what_is_no_colour_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="hexadecimal digits"):
        parse_colour(text)


@pytest.mark.parametrize("level", [-1, 256])
def test_levels_are_bytes(level: int) -> None:
    with pytest.raises(ValueError, match="from 0 to 255"):
        Colour(0, level, 0)


def test_a_format_that_is_still_to_be_chosen_is_never_made() -> None:
    recipe = Recipe(width=8, auto=True)
    with pytest.raises(ValueError, match="resolved"):
        render(pictures.png(), recipe)
    with pytest.raises(ValueError, match="resolved"):
        output_format(Format.PNG, recipe, has_alpha=False)
    assert recipe.resolved(Format.WEBP) == Recipe(width=8, format=Format.WEBP)
    assert Recipe(format=Format.PNG).resolved(Format.WEBP) == Recipe(format=Format.PNG)
