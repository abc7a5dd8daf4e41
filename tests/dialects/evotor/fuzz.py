"""Headers, ids and links of evotor."""

from uuid import UUID

from tests.fuzz.target import Target, fields, mutated_text, only
from tintype.core.runtime.signing import Signature
from tintype.dialects.evotor import wire
from tintype.dialects.evotor.links import Link, parse, write
from tintype.model import Kind

LINK = write(Link(UUID("57a971a5-a335-48f4-8cd1-595245d1a876"), 3), Signature("1f2e3d4c", "A" * 43))
TOKENS = mutated_text("Bearer abc", "abc", "bearer\t ")


def headers(given: dict[str, str]) -> None:
    assert (wire.parse_token(given) or "") in "".join(given.values())


def ids(text: str) -> None:
    with only(Kind.NOT_FOUND):
        assert wire.parse_opaque_id(text) == text
    with only(Kind.NOT_FOUND):
        wire.parse_image_id(text)
    with only(Kind.MALFORMED):
        wire.require_first_page(text)


def link(text: str) -> None:
    """A link has one spelling."""
    with only(Kind.NOT_FOUND):
        assert write(*parse(text)) == text


TARGETS = (
    Target(
        "evotor: tokens",
        fields({"x-authorization": TOKENS, "authorization": TOKENS}),
        headers,
    ),
    Target("evotor: ids and queries", mutated_text("20200101-ABCD.ef_1", "cursor=1&a=b"), ids),
    Target("evotor: links there and back", mutated_text(LINK), link),
)
