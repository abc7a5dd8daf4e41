"""Bodies, queries and links of the native API."""

from uuid import UUID

from hypothesis import strategies as st

from tests.fuzz.target import Target, mutated, mutated_text, only
from tintype.core.runtime.signing import Signature
from tintype.dialects.native import placements, wire
from tintype.dialects.native.links import Link, parse, write
from tintype.imaging import Focal, Format, Mode, Recipe
from tintype.model import Kind, Placement
from tintype.web.dialect_routes import RequestTarget as LinkTarget
from tintype.web.json_body import decode_any

BODIES = [
    b'{"links":[{"image":"57a971a5-a335-48f4-8cd1-595245d1a876","width":200,"focal":[0.5,0.1],"dpr":2.5}]}',
    b'{"links":[{"image":"57a971a5a33548f48cd1595245d1a876","format":"auto","quality":50,"expires":1798761}]}',
    b'{"links":[{"image":"57a971a5-a335-48f4-8cd1-595245d1a876","crop":"attention","lossless":true}]}',
]
PLACEMENTS = [
    b'{"kind": "product", "container": "20200101-ABCD", "holder": "1", "slot": "", "alt_text": "a"}',
    b'{"kind": "cell", "container": 1, "holder": null}',
]
ID = UUID("57a971a5-a335-48f4-8cd1-595245d1a876")
RECIPES = (
    None,
    Recipe(mode=Mode.COVER_EXACT, width=400, height=300, focal=Focal(0.3, 0.5), quality=70).normal(),
    Recipe(width=100, format=Format.WEBP, lossless=True).normal(),
)
LINKS = [write(Link(ID, 3, recipe, 1798761600), Signature("1f2e3d4c", "A" * 43)) for recipe in RECIPES]


def links(body: bytes) -> None:
    with only(Kind.MALFORMED, Kind.INVALID):
        assert len(wire.parse_links(body, max_links=10)) <= 10


def change(body: bytes) -> None:
    with only(Kind.MALFORMED, Kind.INVALID):
        wire.parse_change(body)


def placement(body: bytes) -> None:
    with only(Kind.MALFORMED, Kind.INVALID):
        assert isinstance(placements._parse(decode_any(body)), Placement)  # noqa: SLF001  no one else calls it


def query(text: str) -> None:
    with only(Kind.INVALID):
        page = wire.parse_list_query(text, default_limit=10, max_limit=100)
        assert 1 <= page.limit <= 100
    with only(Kind.INVALID):
        wire.parse_status(text)
    wire.parse_authorization(f"Bearer {text}")


def cursor(number: int) -> None:
    page = wire.parse_list_query(f"cursor={wire.format_cursor(number)}", default_limit=10, max_limit=100)
    assert page.before == number


def link(text: str) -> None:
    """A link has one spelling."""
    with only(Kind.NOT_FOUND, Kind.FORBIDDEN, Kind.INVALID):
        assert write(*parse(LinkTarget(text))) == text


TARGETS = (
    Target("native: links asked for", mutated(*BODIES), links),
    Target("native: change", mutated(b'{"status": "archived"}', b"[]"), change),
    Target("native: placement", mutated(*PLACEMENTS), placement),
    Target("native: query", mutated_text("limit=10&cursor=AAAAAAAAAAE&status=archived", "Bearer abc"), query),
    Target("native: cursors there and back", st.integers(1, 2**63 - 1), cursor),
    Target("native: links there and back", mutated_text(*LINKS), link),
)
