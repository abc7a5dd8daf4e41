"""What a request says besides its body, and bodies in parts."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from ipaddress import ip_address
from itertools import pairwise
from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.target import (
    Target,
    either,
    fields,
    mutated,
    mutated_text,
    only,
    random_bytes,
    repeated,
    together,
)
from tintype.model import Error, Kind
from tintype.web import bodies
from tintype.web.conditions import byte_range, is_unmodified
from tintype.web.context import open_context
from tintype.web.dialect_routes import RequestTarget as LinkTarget
from tintype.web.hosts import Hosts, is_valid
from tintype.web.negotiate import modern_formats, preferred
from tintype.web.unsigned_limits import client_ip, client_network

ETAG, DATE = '"abc"', "Fri, 02 Jan 2026 03:04:05 GMT"
MODIFIED = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
SIZE = 1000
LONG = 60_000
"""Characters; a head has at most 64 KiB."""
CHARACTERS = st.characters(codec="utf-8")
CLIENTS = ("127.0.0.1", "::1", "::ffff:192.0.2.1", "2001:db8::5")


def range_of(asked: dict[str, str]) -> None:
    """The bytes are there, and something of them."""
    with only(Kind.RANGE_NOT_SATISFIABLE):
        found = byte_range("GET", asked, ETAG, MODIFIED, SIZE)
        assert 0 <= found.start < found.end <= SIZE
        assert found.partial or (found.start, found.end) == (0, SIZE)
    is_unmodified(asked, ETAG, MODIFIED)


def negotiated(accept: str) -> None:
    offers = ["application/json", "application/xml", "text/html"]
    assert preferred(accept, offers) in {*offers, None}
    modern_formats(accept)


def disposed(header: str) -> None:
    name = bodies.filename(header)
    assert name is None or name


def named(name: str) -> None:
    """A name that is written as RFC 6266 says is read as it was."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    plain = f'form-data; name="file"; filename="{escaped}"'
    extended = "".join(f"%{byte:02X}" for byte in name.encode())
    assert bodies.filename(f"attachment; filename*=UTF-8''{extended}") == name
    if name.isascii() and not re.search(r'[\\"%/]|\s|^.{0,2}$', name):
        assert bodies.filename(plain) == name


def forwarded(given: tuple[str, str, int]) -> None:
    """What comes out is an address where there is one, and never a text that a client made up."""
    client, header, proxies = given
    scope = {"client": (client, 1), "headers": [(b"x-forwarded-for", header.encode("latin-1"))]}
    ip_address(client_ip(scope, proxies))
    assert client_network(scope, proxies)


def hosted(host: bytes) -> None:
    hosts = Hosts(("example.com", "*.example.org", "127.0.0.0/8", "::1"))
    if hosts.serve(host):
        assert is_valid(host)
    if hosts.refusal([(b"host", host)]) is None:
        assert re.fullmatch(rb"[A-Za-z0-9._\-:\[\]]+", host)


def opened(scope: dict[str, Any]) -> None:
    context = open_context(scope, scope["path"], "", "")
    target = LinkTarget(context.target)
    assert isinstance(target.path, str)
    with only(Kind.INVALID):
        target.query()


def in_parts(given: tuple[bytes, str, list[int]]) -> None:
    """A body never has two contents, however it is cut into pieces.

    What is not well-formed (a line feed inside a header) the library may refuse only if a piece ends there.
    """
    body, content_type, cuts = given
    whole, pieces = _parts(body, content_type, []), _parts(body, content_type, cuts)
    assert "refused" in {whole, pieces} or whole == pieces


def _parts(body: bytes, content_type: str, cuts: list[int]) -> object:
    async def take_apart() -> object:
        headers = {"content-type": content_type}
        source = bodies._MultipartSource(_chunks(body, cuts), headers, "file", 500, 5000)  # noqa: SLF001
        if not await source.seek():
            return None
        data = b"".join([chunk async for chunk in source.file()])
        await source.finish()
        return source.filename, data, source.count

    try:
        return asyncio.run(take_apart())
    except Error as error:
        assert error.kind in {Kind.MALFORMED, Kind.TOO_LARGE}  # noqa: PT017  refused, or taken apart
        # Which of two faults is met first depends on how the body comes.
        return "refused"


async def _chunks(body: bytes, cuts: list[int]) -> AsyncIterator[bytes]:
    positions = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    for start, end in pairwise(positions):
        yield body[start:end]


FIELDS = fields(
    {
        "range": mutated_text("bytes=0-99", "bytes=-5", "bytes=5-", "bytes=0-1,5-6"),
        "if-range": mutated_text(ETAG, DATE),
        "if-none-match": mutated_text(ETAG, "*", 'W/"abc", "def"'),
        "if-modified-since": mutated_text(DATE, DATE.replace("GMT", "-0000"), DATE.replace("GMT", "+9999")),
    }
)
DISPOSITIONS = either(
    mutated_text(
        'form-data; name="file"; filename="a \\"b\\".png"',
        "attachment; filename*=UTF-8''na%C3%AFve.png; filename=naive.png",
        "form-data; name=file; filename=",
    ),
    repeated(";", ' ;a="', "\\", '"', "a=", " ", "filename*=UTF-8''%", most=LONG),
)
MULTIPART = [
    b"\r\n".join(
        (
            b"--x",
            b'Content-Disposition: form-data; name="note"',
            b"",
            b"hello",
            b"--x",
            b'Content-Disposition: form-data; name="file"; filename="a.png"',
            b"Content-Type: image/png",
            b"",
            b"\x89PNG\r\n\x1a\n--x--\r\n--x--",
            b"--x--",
            b"",
        )
    ),
    b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n\r\n--x--\r\n',
]
TYPES = mutated_text(*(f"multipart/form-data{named}" for named in ("; boundary=x", "", '; boundary="x"')))
FORWARDED = either(
    mutated_text("192.0.2.1, 2001:db8::1", "::ffff:192.0.2.1", "unknown, [::1]:80"),
    repeated(",", "1.2.3.4", " ", "::", most=LONG),
)


def request(dice: Random) -> dict[str, Any]:
    """An ASGI scope."""
    return {
        "type": "http",
        "method": dice.choice(("GET", "POST")),
        "path": mutated_text("/v1/media/A")(dice),
        "raw_path": mutated(b"/v1/media/%41%ff?")(dice),
        "query_string": mutated(b"a=1&b=%ff&c", b"&".join([b"a=1"] * 60))(dice),
        "headers": [(random_bytes(8)(dice), random_bytes(20)(dice)) for _ in range(dice.randrange(5))]
        + [(b"host", mutated(b"example.com:80")(dice))],
        "server": dice.choice((None, ("127.0.0.1", 80))),
        "scheme": "http",
    }


TARGETS = (
    Target("range and conditions", FIELDS, range_of),
    Target(
        "Accept",
        either(
            mutated_text("application/json;q=0.5, text/*, */*", "image/avif,image/webp;q=0.5,*/*;q=0.1"),
            repeated(",", ";q=", "a/b", "*", most=LONG),
        ),
        negotiated,
    ),
    Target("Content-Disposition", DISPOSITIONS, disposed),
    Target("file names there and back", st.text(CHARACTERS, min_size=1, max_size=40), named),
    Target(
        "X-Forwarded-For",
        together(lambda dice: dice.choice(CLIENTS), FORWARDED, lambda dice: dice.randint(0, 16)),
        forwarded,
    ),
    Target("Host", mutated(b"example.com", b"a.example.org:80", b"[::1]:8080", b"127.0.0.1"), hosted),
    Target("request line and fields", request, opened),
    Target(
        "multipart",
        together(mutated(*MULTIPART), TYPES, lambda dice: dice.choices(range(1024), k=dice.randrange(5))),
        in_parts,
    ),
)
