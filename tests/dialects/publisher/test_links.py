"""The link grammar: exactly what is written can be parsed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.dialects.publisher.links import Link, parse, write
from tintype.imaging import Mode
from tintype.model import Error, Kind, NotFound

EXTENSIONS = st.sampled_from(["gif", "GIF", "jpg", "JPEG", "png", "tif", "heic", "svg"])
LINKS = st.builds(Link, st.integers(1, 10**17), EXTENSIONS, st.booleans())


@given(LINKS)
def test_a_written_link_is_read_back(link: Link) -> None:
    assert parse(write(link)) == link


def test_links_are_those_of_the_reference() -> None:
    assert write(Link(1007, "gif")) == "/flag/flag_2014.gif"
    assert write(Link(1007, "gif", thumbnail=True)) == "/flag/flag_2015.gif"


def test_the_original_is_wanted_as_it_came() -> None:
    requested = parse("/flag/flag_2014.JPG").delivery_request(200, 60, signed=False, canonical=True)
    assert (requested.key, requested.recipe, requested.extension, requested.max_age) == (
        1007,
        None,
        "JPG",
        60,
    )


def test_the_thumbnail_fits_a_square_and_is_never_enlarged() -> None:
    requested = parse("/flag/flag_2015.JPG").delivery_request(200, 60, signed=False, canonical=True)
    assert requested.key == 1007
    assert requested.recipe is not None
    recipe = requested.recipe
    assert (recipe.mode, recipe.width, recipe.height, recipe.enlarge) == (Mode.FIT, 200, 200, False)


@pytest.mark.parametrize(
    "path",
    [
        "/flag/flag_0.png",
        "/flag/flag_1.png",
        "/flag/flag_02.png",
        "/flag/flag_-2.png",
        "/flag/flag_+2.png",
        "/flag/flag_2",
        "/flag/flag_2.",
        "/flag/flag_2.p-g",
        "/flag/flag_2.png\n",
        "/flag/flag_2.png/",
        "/flag/flag_2.png.png",
        "/flag/x/flag_2.png",
        "/flag/flag_٢.png",
        "/flag/FLAG_2.png",
        "/flag/flag_2.pñg",
        "/flag/flag_" + "9" * 19 + ".png",
        "/flag/flag_" + "9" * 5000 + ".png",
        "/flag/flag_2." + "a" * 17,
        "/flag/flag_2.html",
        "/flag/",
    ],
)
def test_anything_else_is_missing(path: str) -> None:
    with pytest.raises(NotFound):
        parse(path)


@given(st.text().map("/flag/".__add__) | st.from_regex(r"/flag/flag_[0-9]{1,30}\.[a-z]{1,20}"))
def test_no_path_is_read_as_a_link_with_another_spelling(path: str) -> None:
    assert _rewritten(path) in {path, Kind.NOT_FOUND}


def _rewritten(path: str) -> str:
    try:
        return write(parse(path))
    except Error as error:
        return error.kind
