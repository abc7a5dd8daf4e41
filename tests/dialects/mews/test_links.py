"""The grammar of delivery links."""

import itertools
import re
from urllib.parse import urlencode
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.dialects.mews.links import Link, parse, write
from tintype.imaging import Mode
from tintype.model import InvalidField, NotFound
from tintype.web.dialect_routes import RequestTarget

IMAGE = UUID("57a971a5-a335-48f4-8cd1-595245d1a876")
PATH = f"/Media/Image/{IMAGE}"
SIDES = st.none() | st.integers(1, 999_999_999)
LINKS = st.builds(Link, st.uuids(), st.sampled_from(Mode), SIDES, SIDES)


def opened(link: str) -> Link:
    return parse(RequestTarget(link))


@given(LINKS)
def test_a_link_that_was_written_reads_as_it_was(link: Link) -> None:
    assert opened(write(link)) == link


@given(LINKS)
def test_every_link_has_the_one_shape(link: Link) -> None:
    modes = "Scale|Cover|CoverExact|Fit|FitExact"
    shape = rf"/Media/Image/[0-9a-f-]{{36}}\?Mode=({modes})(&Width=[1-9]\d*)?(&Height=[1-9]\d*)?"
    assert re.fullmatch(shape, write(link))


def test_the_link_of_the_reference() -> None:
    assert write(Link(IMAGE, Mode.FIT, 200, 150)) == f"{PATH}?Mode=Fit&Width=200&Height=150"


def test_an_absent_side_is_left_out() -> None:
    assert write(Link(IMAGE, Mode.COVER, height=150)) == f"{PATH}?Mode=Cover&Height=150"
    assert write(Link(IMAGE, Mode.COVER_EXACT, width=200)) == f"{PATH}?Mode=CoverExact&Width=200"
    assert write(Link(IMAGE, Mode.FIT_EXACT)) == f"{PATH}?Mode=FitExact"


@pytest.mark.parametrize("order", list(itertools.permutations(["Mode=Cover", "Width=20", "Height=10"])))
def test_the_parameters_come_in_any_order(order: tuple[str, ...]) -> None:
    assert opened(f"{PATH}?{'&'.join(order)}") == Link(IMAGE, Mode.COVER, 20, 10)


@pytest.mark.parametrize(
    ("number", "mode"),
    [("0", Mode.SCALE), ("1", Mode.COVER), ("3", Mode.COVER_EXACT), ("4", Mode.FIT), ("5", Mode.FIT_EXACT)],
)
def test_a_mode_may_be_a_number(number: str, mode: Mode) -> None:
    assert opened(f"{PATH}?Mode={number}") == Link(IMAGE, mode)


@pytest.mark.parametrize(
    "link",
    [
        f"{PATH}?mode=cover&width=20&height=10",
        f"{PATH}?MODE=COVER&WIDTH=20&HEIGHT=10",
        f"/media/image/{IMAGE}?Height=10&mode=Cover&wIdTh=20",
        f"/MEDIA/Image/{str(IMAGE).upper()}?mode=1&width=20&height=10",
        f"{PATH}?Mode=Cover&Width=20&Height=10&v=7&_=1&utm_source=mail",
    ],
)
def test_a_link_that_was_written_by_hand_may_have_any_case(link: str) -> None:
    assert opened(link) == Link(IMAGE, Mode.COVER, 20, 10)
    assert write(opened(link)) != link


@pytest.mark.parametrize(
    "name",
    [
        *["w", "h", "W", "H", "s", "q", "size", "Resize", "MaxWidth", "max-height", "width2", "scale", "dpr"],
        *["crop", "quality", "Format", "fit", "thumbnail", "Dimensions", "image_width", "ResizeMode"],
    ],
)
def test_a_parameter_that_seems_to_ask_for_another_picture_is_refused(name: str) -> None:
    with pytest.raises(InvalidField) as raised:
        opened(f"{PATH}?Mode=Fit&{name}=200")
    assert raised.value.field == name.lower()


@pytest.mark.parametrize("query", ["", "?", "?Mode=", "?Mode=&Width=&Height=", "?Other=1"])
def test_what_is_absent_or_empty_asks_for_nothing(query: str) -> None:
    assert opened(PATH + query) == Link(IMAGE, Mode.FIT)


@pytest.mark.parametrize("mode", ["2", "6", "-1", "01", "4.0", "Fit ", "cover-exact", "x", "\0", "٤"])
def test_an_unknown_mode_is_refused(mode: str) -> None:
    with pytest.raises(InvalidField) as raised:
        parse(RequestTarget(f"{PATH}?{urlencode({'Mode': mode})}"))
    assert raised.value.field == "Mode"


@pytest.mark.parametrize("name", ["Width", "Height"])
@pytest.mark.parametrize("side", ["0", "-1", "+1", "1.5", "1e3", " 1", "1\n", "x", "٤", "1" + "0" * 5000])
def test_a_side_is_a_whole_number_above_zero(name: str, side: str) -> None:
    with pytest.raises(InvalidField) as raised:
        parse(RequestTarget(f"{PATH}?{urlencode({'Mode': 'Fit', name: side})}"))
    assert raised.value.field == name


@pytest.mark.parametrize(
    "path",
    ["/Media/Image/", "/Media/Image/x", PATH + "/", PATH + "/x", "/media/images/" + str(IMAGE), PATH + "\n"],
)
def test_a_path_without_an_image_is_missing(path: str) -> None:
    with pytest.raises(NotFound):
        parse(RequestTarget(path))
