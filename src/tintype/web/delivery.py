"""Delivery of pictures over plain ASGI: conditions, ranges, headers, bytes."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

from msgspec import Struct

from tintype.core import House
from tintype.core.browse import no_such_image
from tintype.core.follow import linked
from tintype.core.render import Picture, original, rendition, rendition_tag
from tintype.model import Error, Image, Kind
from tintype.web.context import Context, Scope
from tintype.web.mount import Opener, Query, Wanted

Send = Callable[[dict[str, Any]], Awaitable[None]]

CHUNK = 256 * 1024
"""Bytes read at once where the server can't send a file by itself."""
MAX_QUERY_FIELDS = 50

METHODS = ("GET", "HEAD", "OPTIONS")

CORS = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "Content-Length, Content-Range, ETag, Last-Modified, Request-Id",
    "cross-origin-resource-policy": "cross-origin",
}
"""Pictures may be shown and read by any page: the link is the permission, no cookie plays a part."""

_GUARD = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
}

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z", re.IGNORECASE)


class Span(Struct, frozen=True):
    """The bytes `start` to `end` (exclusive) of `size`; `partial` if the client asked for a range."""

    start: int
    end: int
    size: int
    partial: bool


async def deliver(house: House, context: Context, scope: Scope, send: Send, opener: Opener) -> None:
    """Answer a delivery link.

    Raises:
        Error: as the opener; MISSING; INVALID; NO_SUCH_RANGE; BUSY; METHOD_NOT_ALLOWED.
    """
    if context.method == "OPTIONS":
        await _preflight(send)
        return
    if context.method not in METHODS:
        raise Error(Kind.METHOD_NOT_ALLOWED, "Pictures are read with GET.", field=", ".join(METHODS))
    wanted = opener(context.path, _query(context.query))
    image = await _image(house, wanted)
    headers = _headers(image, wanted)
    if _not_modified(context.headers, headers["etag"], image.modified_at):
        await _answer(
            send, 304, {name: value for name, value in headers.items() if name != "content-disposition"}
        )
        return
    picture = await _picture(house, image, wanted)
    span = _span(context, headers["etag"], image.modified_at, picture.size)
    await _send_picture(house, scope, send, picture, span, headers)


def _query(query: str) -> Query:
    try:
        return dict(parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_QUERY_FIELDS))
    except ValueError:
        raise Error(Kind.INVALID, f"A link has at most {MAX_QUERY_FIELDS} parameters.") from None


async def _image(house: House, wanted: Wanted) -> Image:
    image = (await linked(house, wanted.key, wanted.version)).image
    if wanted.extension is not None and wanted.extension.lower() != image.extension.lower():
        raise no_such_image()
    return image


async def _picture(house: House, image: Image, wanted: Wanted) -> Picture:
    if wanted.recipe is not None:
        return await rendition(house, image, wanted.recipe)
    picture = original(house, image)
    if not await house.workers.disk(picture.path.is_file):
        raise no_such_image()
    return picture


def _headers(image: Image, wanted: Wanted) -> dict[str, str]:
    tag = image.sha256[:32] if wanted.recipe is None else rendition_tag(image, wanted.recipe)
    return {
        "etag": f'"{tag}"',
        "last-modified": format_datetime(image.modified_at.astimezone(UTC), usegmt=True),
        "cache-control": f"{'public' if wanted.shared else 'private'}, max-age={wanted.max_age}",
        "accept-ranges": "bytes",
        "content-disposition": f"inline; filename*=UTF-8''{quote(image.filename, safe='')}",
        **CORS,
        **_GUARD,
    }


def _not_modified(asked: dict[str, str], etag: str, modified: datetime) -> bool:
    """RFC 9110, 13.2.2: If-None-Match decides alone where it is sent; If-Modified-Since is second best."""
    if "if-none-match" in asked:
        tags = {tag.strip().removeprefix("W/") for tag in asked["if-none-match"].split(",")}
        return bool(tags & {etag, "*"})
    since = _date(asked.get("if-modified-since", ""))
    return since is not None and modified.replace(microsecond=0) <= since


def _span(context: Context, etag: str, modified: datetime, size: int) -> Span:
    """The bytes asked for; all of them unless it is one range that can be had and If-Range allows it.

    Raises:
        Error: NO_SUCH_RANGE, with the size as its code, when no byte of the range exists.
    """
    whole = Span(0, size, size, partial=False)
    match = _RANGE.match(context.headers.get("range", "").replace(" ", ""))
    if context.method != "GET" or match is None or not _range_holds(context.headers, etag, modified):
        return whole
    first, last = match[1], match[2]
    if not first and not last:
        return whole
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if first and last and int(last) < start:
        return whole
    if start >= size:
        raise Error(Kind.NO_SUCH_RANGE, f"The picture has {size} bytes.", code=size)
    return Span(start, end, size, partial=True)


def _range_holds(asked: dict[str, str], etag: str, modified: datetime) -> bool:
    condition = asked.get("if-range")
    if condition is None:
        return True
    if condition.startswith('"'):
        return condition == etag
    return _date(condition) == modified.replace(microsecond=0)


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


async def _send_picture(
    house: House, scope: Scope, send: Send, picture: Picture, span: Span, headers: dict[str, str]
) -> None:
    headers |= {"content-type": picture.media_type, "content-length": str(span.end - span.start)}
    if span.partial:
        headers["content-range"] = f"bytes {span.start}-{span.end - 1}/{span.size}"
    await _start(send, 206 if span.partial else 200, headers)
    if scope["method"] == "HEAD":
        await send({"type": "http.response.body", "body": b""})
    elif picture.data is not None:
        await send({"type": "http.response.body", "body": picture.data[span.start : span.end]})
    elif not span.partial and "http.response.pathsend" in scope.get("extensions", {}):
        await send({"type": "http.response.pathsend", "path": str(picture.path)})
    else:
        await _send_bytes(house, send, picture.path, span)


async def _send_bytes(house: House, send: Send, path: Path, span: Span) -> None:
    start = span.start
    while start < span.end:
        chunk = await house.workers.disk(_read, path, start, min(CHUNK, span.end - start))
        start += len(chunk)
        await send({"type": "http.response.body", "body": chunk, "more_body": start < span.end})


def _read(path: Path, start: int, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        data = file.read(size)
    if not data:
        raise EOFError(f"{path} is shorter than recorded")
    return data


async def _preflight(send: Send) -> None:
    allowed = {
        "access-control-allow-methods": ", ".join(METHODS),
        "access-control-allow-headers": "Range, If-Range, If-None-Match, If-Modified-Since",
        "access-control-max-age": "86400",
        "allow": ", ".join(METHODS),
    }
    await _answer(send, 204, CORS | allowed)


async def _answer(send: Send, status: int, headers: dict[str, str]) -> None:
    await _start(send, status, headers)
    await send({"type": "http.response.body", "body": b""})


async def _start(send: Send, status: int, headers: dict[str, str]) -> None:
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
