"""`POST /2.0/imageurls`, and images in the cells of rows."""

import uuid
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency as Given
from litestar.params import FromPath

from tintype.core import Services
from tintype.core.access.auth import require_scope
from tintype.core.library.browse import attached
from tintype.core.library.ingest import examine, keep
from tintype.core.library.resolve import versions
from tintype.core.runtime.rate_limit import RateLimiter
from tintype.dialects.smartsheet import links, wire
from tintype.dialects.smartsheet.settings import Settings
from tintype.model import Caller, Error, LinkTarget
from tintype.web import bodies
from tintype.web.bodies import AnyRequest
from tintype.web.context import Context
from tintype.web.dialect_routes import RawResponse
from tintype.web.disconnect import cancel_on_disconnect
from tintype.web.responses import from_raw, json_response

READ = "READ_SHEETS"
WRITE = "WRITE_SHEETS"

PATHS = ["/2.0/imageurls", "/imageurls"]
ROW = "/2.0/sheets/{sheet:str}/rows/{row:str}"

MAX_REFUSED_LOGGED, MAX_ID_LOGGED = 25, 40
"""Refused items of a batch that the log tells of one by one, and characters of their ids."""


async def image_urls(
    read: Callable[[], Awaitable[bytes]],
    services: Services,
    settings: Settings,
    context: Context,
    caller: Caller,
    rate_limiter: RateLimiter,
) -> RawResponse:
    """A batch of image ids and sizes to temporary URLs, in the order asked."""
    _enter(context, caller, rate_limiter, READ)
    raw = await read()
    expires = links.expiry(services.clock(), settings.link_seconds)
    # Links are remembered too: whoever shows a sheet asks for the same ones again and again.
    cached = services.query_cache.snapshot()
    about = f"{caller.account.id} {context.base_url} {services.keyring.generation} {expires}"
    keys = [(about, item) for item in wire.parse_plain(raw, context.headers)]
    known: list[wire.ImageUrl | None] = [cached.get(key) for key in keys]
    urls = [url for url in known if url is not None]
    if not urls or len(urls) != len(keys) or len(urls) > settings.max_images:
        asked = wire.parse_request(raw, context.headers, max_images=settings.max_images)
        found = await versions(services, caller, [item.image for item in asked if item.image is not None])
        urls = [
            _image_url(services, context, position, item, found, expires)
            for position, item in enumerate(asked)
        ]
        _note_refused(context, urls)
        cached.update({key: url for key, url in zip(keys, urls, strict=False) if url.error is None})
    return wire.encode_response(urls, settings.link_seconds * 1000)


@post(PATHS, status_code=200)
async def list_image_urls(
    request: AnyRequest,
    services: Given[Services],
    settings: Given[Settings],
    context: Given[Context],
    caller: Given[Caller],
    rate_limiter: Given[RateLimiter],
) -> Response[bytes]:
    """The same, where the framework is asked."""

    async def read() -> bytes:
        return await bodies.read(request, settings.max_body_bytes)

    return from_raw(await image_urls(read, services, settings, context, caller, rate_limiter))


@post(ROW + "/columns/{column:str}/cellimages", status_code=200)
async def add_cell_image(  # noqa: PLR0913, PLR0917  what the framework hands in
    request: AnyRequest,
    sheet: FromPath[str],
    row: FromPath[str],
    column: FromPath[str],
    services: Given[Services],
    settings: Given[Settings],
    context: Given[Context],
    caller: Given[Caller],
    rate_limiter: Given[RateLimiter],
) -> Response[bytes]:
    """Put an image into a cell. What was there before stays in the library, in no cell."""
    _enter(context, caller, rate_limiter, WRITE, cost=settings.upload_cost)
    placement = wire.placement(sheet, row, column)
    upload = wire.parse_upload(context.headers, context.query, max_alt_text=settings.max_alt_text)
    placement = msgspec.structs.replace(placement, alt_text=upload.alt_text)
    limit = min(settings.max_upload_bytes, services.images.max_bytes)
    with wire.upload_errors():
        async with bodies.staged_body(services, caller, request, limit) as staged:
            wire.require_length(context.headers, staged.size)
            seen = await cancel_on_disconnect(context, request.receive, examine(services, caller, staged))
            info = wire.accepted(seen)
            image = await keep(
                services, caller, staged, info, upload.filename, placement=placement, replace=True
            )
    beside = [
        (at, other) for at, other in await attached(services, caller, placement) if at.slot != placement.slot
    ]
    return json_response(wire.answer_added(placement, image, beside))


@get(ROW)
async def get_row(
    sheet: FromPath[str],
    row: FromPath[str],
    services: Given[Services],
    context: Given[Context],
    caller: Given[Caller],
    rate_limiter: Given[RateLimiter],
) -> Response[bytes]:
    """A row: its cells that hold an image."""
    _enter(context, caller, rate_limiter, READ)
    exclude = wire.parse_exclude(context.query)
    placement = wire.placement(sheet, row)
    return json_response(wire.answer_row(placement, await attached(services, caller, placement), exclude))


def _enter(context: Context, caller: Caller, rate_limiter: RateLimiter, scope: str, *, cost: int = 1) -> None:
    """What every endpoint asks once the token is known: pace, scope, and headers that make sense."""
    rate_limiter.take(caller.token_id, cost)
    require_scope(caller, scope)
    wire.require_headers(context.headers)
    context.notes.update(wire.notes(context.headers))


def _image_url(
    services: Services,
    context: Context,
    position: int,
    asked: wire.Asked,
    found: dict[uuid.UUID, LinkTarget],
    expires: int,
) -> wire.ImageUrl:
    version = None if asked.image is None else found.get(asked.image)
    if asked.error is not None or version is None:
        return _failed(context, position, asked, asked.error or wire.may_not_view())
    size = links.sized(version, asked.width, asked.height)
    link = links.Link(version.id, version.version, expires, size)
    url = context.base_url + links.write(link, services.keyring.sign(link.parts()))
    shown = size or version
    return wire.ImageUrl(asked.image_id, url, shown.width, shown.height)


def _failed(context: Context, position: int, asked: wire.Asked, error: Error) -> wire.ImageUrl:
    """The answer for one item. Its reference begins with the request's id, which finds it in the log."""
    return wire.ImageUrl(asked.image_id, error=wire.failure(error, f"{context.request_id}-{position}"))


def _note_refused(context: Context, urls: Sequence[wire.ImageUrl]) -> None:
    """Tell the log how many items were refused, and why the first of them were."""
    refused = [(url.image_id, url.error) for url in urls if url.error is not None]
    if refused:
        context.notes["items_refused"] = len(refused)
        context.notes["refused"] = [
            {
                "ref_id": error.ref_id,
                "error_code": error.error_code,
                "image_id": (image_id or "")[:MAX_ID_LOGGED],
            }
            for image_id, error in refused[:MAX_REFUSED_LOGGED]
        ]
