"""Bodies, headers and queries of smartsheet."""

from uuid import UUID

from tests.fuzz.target import Target, fields, mutated, mutated_text, only, together
from tintype.core.runtime.signing import Signature
from tintype.dialects.smartsheet import wire
from tintype.dialects.smartsheet.links import Link, Size, parse, write
from tintype.model import Kind
from tintype.web.dialect_routes import RequestTarget as LinkTarget

BODIES = [
    b'[{"imageId":"57a971a5-a335-48f4-8cd1-595245d1a876","width":200,"height":150}, {"imageId":"x"}, {}]',
    b'{"imageId":"57a971a5-a335-48f4-8cd1-595245d1a876","width":9007199254740993.5}',
]
LINK = Link(UUID("57a971a5-a335-48f4-8cd1-595245d1a876"), 3, 1_700_000_000_123, Size(200, 150))
LINKS = [write(LINK, Signature("1f2e3d4c", "A" * 43))]
HEADERS = fields(
    {
        "content-type": mutated_text("application/json", "image/png"),
        "content-disposition": mutated_text(
            'attachment; filename="a%20b+c.png"',
            'attachment; filename="=?utf-8?B?YQ==?="',
            "x; filename*=UTF-8''a",
        ),
        "content-length": mutated_text("12", "0"),
        "accept": mutated_text("application/json, */*;q=0.1"),
        "smartsheet-integration-source": mutated_text("AI,organisation,source"),
    }
)
QUERIES = mutated_text("altText=a%20b&overrideValidation=true&exclude=nonexistentCells,x")


def request(given: tuple[bytes, dict[str, str]]) -> None:
    body, headers = given
    with only(Kind.MALFORMED, Kind.UNSUPPORTED_TYPE, Kind.INVALID):
        assert 1 <= len(wire.parse_request(body, headers, max_images=10)) <= 10


def alike(body: bytes) -> None:
    """What the quick way reads, the careful one reads as well."""
    headers = {"content-type": "application/json"}
    quick = wire.parse_valid_items(body, headers, max_images=10)
    with only(Kind.MALFORMED, Kind.INVALID):
        careful = wire.parse_request(body, headers, max_images=10)
        assert not quick or len(quick) == len(careful)


def upload(given: tuple[dict[str, str], str]) -> None:
    headers, query = given
    with only(Kind.MALFORMED, Kind.INVALID):
        wire.parse_upload(headers, query, max_alt_text=100)
    with only(Kind.MALFORMED):
        wire.require_length(headers, 12)
    with only(Kind.MALFORMED, Kind.NOT_ACCEPTABLE):
        wire.require_headers(headers)
    wire.log_fields(headers)
    with only(Kind.MALFORMED):
        wire.parse_exclude(query)


def placement(given: tuple[str, str, str]) -> None:
    with only(Kind.NOT_FOUND):
        wire.parse_placement(*given)


def link(text: str) -> None:
    """A link has one spelling."""
    with only(Kind.FORBIDDEN, Kind.INVALID):
        assert write(*parse(LinkTarget(text))) == text


NUMBERS = mutated_text("1", "9223372036854775807", "9223372036854775808")

TARGETS = (
    Target("smartsheet: imageurls", together(mutated(*BODIES), HEADERS), request),
    Target("smartsheet: imageurls, both ways", mutated(*BODIES), alike),
    Target("smartsheet: upload", together(HEADERS, QUERIES), upload),
    Target("smartsheet: place", together(NUMBERS, NUMBERS, NUMBERS), placement),
    Target("smartsheet: links there and back", mutated_text(*LINKS), link),
)
