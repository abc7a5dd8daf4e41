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
from tintype.core.library.ingest import examine, record_image
from tintype.core.library.resolve import link_targets
from tintype.core.runtime.rate_limit import RateLimiter
from tintype.dialects.smartsheet import links, wire
from tintype.dialects.smartsheet.settings import Settings
from tintype.model import Caller, Error, LinkTarget
from tintype.web import bodies
from tintype.web.bodies import AnyRequest
from tintype.web.context import Context
from tintype.web.dialect_routes import RawResponse
from tintype.web.disconnect import cancel_on_disconnect
from tintype.web.responses import json_response

READ = "READ_SHEETS"
WRITE = "WRITE_SHEETS"

PATHS = ["/2.0/imageurls", "/imageurls"]
ROW = "/2.0/sheets/{sheet:str}/rows/{row:str}"

MAX_REFUSED_LOGGED, MAX_ID_LOGGED = 25, 40
"""The most refused items of a batch that are logged one by one, and the most characters of their ids."""


async def image_urls(
    read: Callable[[], Awaitable[bytes]],
    services: Services,
    settings: Settings,
    context: Context,
    caller: Caller,
    rate_limiter: RateLimiter,
) -> RawResponse:
    """The temporary URLs for a batch of image ids and sizes, in the order of the request."""
    _authorize(context, caller, rate_limiter, READ)
    raw = await read()
    expires = links.expiry(services.clock(), settings.link_seconds)
    # Links are cached too: clients that show a sheet request the same links repeatedly.
    cached = services.query_cache.snapshot()
    key_prefix = f"{caller.account.id} {context.base_url} {services.keyring.generation} {expires}"
    keys = [(key_prefix, item) for item in wire.parse_valid_items(raw, context.headers)]
    known: list[wire.ImageUrl | None] = [cached.get(key) for key in keys]
    urls = [url for url in known if url is not None]
    if not urls or len(urls) != len(keys) or len(urls) > settings.max_images:
        requested = wire.parse_request(raw, context.headers, max_images=settings.max_images)
        found = await link_targets(
            services, caller, [item.image for item in requested if item.image is not None]
        )
        urls = [
            _image_url(services, context, position, item, found, expires)
            for position, item in enumerate(requested)
        ]
        _log_refused(context, urls)
        cached.update({key: url for key, url in zip(keys, urls, strict=False) if url.error is None})
    return wire.encode_response(urls, settings.link_seconds * 1000)


@post(ROW + "/columns/{column:str}/cellimages", status_code=200)
async def add_cell_image(  # noqa: PLR0913, PLR0917  injected by the framework
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
    """Put an image into a cell. An image that was there before stays in the library, without a cell."""
    _authorize(context, caller, rate_limiter, WRITE, cost=settings.upload_cost)
    placement = wire.parse_placement(sheet, row, column)
    upload = wire.parse_upload(context.headers, context.query, max_alt_text=settings.max_alt_text)
    placement = msgspec.structs.replace(placement, alt_text=upload.alt_text)
    limit = min(settings.max_upload_bytes, services.images.max_bytes)
    with wire.upload_errors():
        async with bodies.staged_body(services, caller, request, limit) as staged:
            wire.require_length(context.headers, staged.size)
            image_info = await cancel_on_disconnect(
                context, request.receive, examine(services, caller, staged)
            )
            info = wire.require_accepted_format(image_info)
            image = await record_image(
                services, caller, staged, info, upload.filename, placement=placement, replace=True
            )
    others = [
        (at, other) for at, other in await attached(services, caller, placement) if at.slot != placement.slot
    ]
    return json_response(wire.encode_added(placement, image, others))


@get(ROW)
async def get_row(
    sheet: FromPath[str],
    row: FromPath[str],
    services: Given[Services],
    context: Given[Context],
    caller: Given[Caller],
    rate_limiter: Given[RateLimiter],
) -> Response[bytes]:
    """Read a row: its cells that have an image."""
    _authorize(context, caller, rate_limiter, READ)
    exclude = wire.parse_exclude(context.query)
    placement = wire.parse_placement(sheet, row)
    return json_response(wire.encode_row(placement, await attached(services, caller, placement), exclude))


def _authorize(
    context: Context, caller: Caller, rate_limiter: RateLimiter, scope: str, *, cost: int = 1
) -> None:
    """The checks of every endpoint after authentication: rate limit, scope and headers.

    Raises:
        TooManyRequests: when the rate limit is reached.
        Forbidden: when the caller has not the scope.
        Error: as `wire.require_headers`.
    """
    rate_limiter.take(caller.token_id, cost)
    require_scope(caller, scope)
    wire.require_headers(context.headers)
    context.notes.update(wire.log_fields(context.headers))


def _image_url(
    services: Services,
    context: Context,
    position: int,
    requested: wire.RequestedImage,
    found: dict[uuid.UUID, LinkTarget],
    expires: int,
) -> wire.ImageUrl:
    target = None if requested.image is None else found.get(requested.image)
    if requested.error is not None or target is None:
        return _failed_item(context, position, requested, requested.error or wire.may_not_view())
    size = links.delivered_size(target, requested.width, requested.height)
    link = links.Link(target.id, target.version, expires, size)
    url = context.base_url + links.write(link, services.keyring.sign(link.parts()))
    actual = size or target
    return wire.ImageUrl(requested.image_id, url, actual.width, actual.height)


def _failed_item(
    context: Context, position: int, requested: wire.RequestedImage, error: Error
) -> wire.ImageUrl:
    """The error of one item. Its reference starts with the id of the request, which is in the log."""
    return wire.ImageUrl(requested.image_id, error=wire.failure(error, f"{context.request_id}-{position}"))


def _log_refused(context: Context, urls: Sequence[wire.ImageUrl]) -> None:
    """Log how many items were refused, and the error codes of the first of them."""
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
