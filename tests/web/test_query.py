"""Query strings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.model import Error, Invalid
from tintype.web.query import MAX_FIELDS, Query, parse_filled, parse_query


def parse(text: str) -> Query:
    return parse_query(text, lambda most: Invalid(str(most)))


@pytest.mark.parametrize(
    ("text", "last", "first_filled"),
    [
        ("", {}, {}),
        ("a=1&b=2", {"a": "1", "b": "2"}, {"a": "1", "b": "2"}),
        ("a=1&a=2", {"a": "2"}, {"a": "1"}),
        ("a=&a=2&a=3", {"a": "3"}, {"a": "2"}),
        ("a=1&a=", {"a": ""}, {"a": "1"}),
        ("a&b=", {"a": "", "b": ""}, {}),
        ("a=x+y%20z%2B", {"a": "x y z+"}, {"a": "x y z+"}),
        ("a=%D0%B6", {"a": "\u0436"}, {"a": "\u0436"}),
        ("a=\u00d0\u00b6", {"a": "\u0436"}, {"a": "\u0436"}),
        ("a=%FF", {"a": "\ufffd"}, {"a": "\ufffd"}),
        ("a=\xff", {"a": "\ufffd"}, {"a": "\ufffd"}),
    ],
)
def test_parameters_are_decoded(text: str, last: Query, first_filled: Query) -> None:
    assert parse(text) == last
    assert parse_filled(text) == first_filled


def test_more_parameters_than_the_limit_are_refused() -> None:
    assert len(parse("&".join(f"p{number}=" for number in range(MAX_FIELDS)))) == MAX_FIELDS
    with pytest.raises(Error, match=str(MAX_FIELDS)):
        parse("&".join(["p="] * (MAX_FIELDS + 1)))


@given(st.text())
def test_any_text_is_parsed_or_refused(text: str) -> None:
    assert all(parse_filled(text).values())
    if text.count("&") < MAX_FIELDS:
        parse(text)
