"""Queries, headers and links of the publisher."""

from xml.etree import ElementTree as ET

from hypothesis import strategies as st

from tests.fuzz.target import Target, either, mutated_text, only, repeated
from tintype.dialects.publisher import wire
from tintype.dialects.publisher.links import Link, parse, write
from tintype.model import Kind

QUERIES = either(
    mutated_text(
        "sort=-name&limit=10&offset=2&extension=jpg,PNG&status=active&q=a%20b&id=1,2", "sort=+modified&" * 30
    ),
    repeated("&", "a=1", "id=1,", "%", "extension=", ",", "limit=9", most=30_000),
)


def query(text: str) -> None:
    with only(Kind.INVALID):
        wire.parse_request(text, default_limit=10, max_limit=100, max_extensions=10)


def link(text: str) -> None:
    """A link has one spelling."""
    with only(Kind.NOT_FOUND):
        assert write(parse(text)) == text


def xml(value: str) -> None:
    """Whatever is told, it is well-formed."""
    ET.fromstring(wire.to_xml(wire.Failure(ref=1, summary=value)))  # noqa: S314  our own


TARGETS = (
    Target("publisher: query", QUERIES, query),
    Target("publisher: XML", st.text(max_size=100), xml),
    Target("publisher: links there and back", mutated_text(write(Link(1007, "gif"))), link),
)
