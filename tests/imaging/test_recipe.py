import pickle

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.imaging import Format, Mode, Recipe

SIDES = st.none() | st.integers(1, 9000)
RECIPES = st.builds(
    Recipe,
    mode=st.sampled_from(Mode),
    width=SIDES,
    height=SIDES,
    enlarge=st.booleans(),
    format=st.none() | st.sampled_from([f for f in Format if f is not Format.TIFF]),
    quality=st.none() | st.integers(1, 100),
)


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (Recipe(), "fit"),
        (Recipe(width=200, height=150), "fit,w=200,h=150"),
        (Recipe(mode=Mode.COVER_EXACT, height=9), "cover-exact,h=9"),
        (
            Recipe(mode=Mode.SCALE, width=1, height=2, enlarge=False, format=Format.WEBP, quality=50),
            "scale,w=1,h=2,enlarge=no,format=webp,q=50",
        ),
    ],
)
def test_the_canonical_form_leaves_defaults_out(recipe: Recipe, words: str) -> None:
    assert recipe.canonical() == words


@given(RECIPES, RECIPES)
def test_recipes_share_a_fingerprint_only_when_they_are_equal(one: Recipe, other: Recipe) -> None:
    assert (one.fingerprint() == other.fingerprint()) == (one == other)


@given(RECIPES)
def test_a_fingerprint_is_32_hexadecimal_digits(recipe: Recipe) -> None:
    assert len(recipe.fingerprint()) == 32
    assert set(recipe.fingerprint()) <= set("0123456789abcdef")


@given(RECIPES)
def test_a_recipe_survives_json_and_pickle(recipe: Recipe) -> None:
    assert msgspec.json.decode(msgspec.json.encode(recipe), type=Recipe) == recipe
    assert pickle.loads(pickle.dumps(recipe)) == recipe  # noqa: S301  # our own bytes


@pytest.mark.parametrize("side", [0, -1])
def test_sides_are_at_least_one(side: int) -> None:
    with pytest.raises(ValueError, match="at least 1 pixel"):
        Recipe(width=side)
    with pytest.raises(ValueError, match="at least 1 pixel"):
        Recipe(height=side)


@pytest.mark.parametrize("quality", [0, 101, -5])
def test_quality_is_from_1_to_100(quality: int) -> None:
    with pytest.raises(ValueError, match="from 1 to 100"):
        Recipe(quality=quality)


def test_a_tiff_is_never_asked_for() -> None:
    with pytest.raises(ValueError, match="source only"):
        Recipe(format=Format.TIFF)
