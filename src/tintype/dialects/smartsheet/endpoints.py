"""`POST /2.0/imageurls`, and images in the cells of rows."""

import uuid
from collections.abc import Sequence

import msgspec

from tintype.core.library.browse import attached
from tintype.core.library.ingest import inspect_staged, record_image
from tintype.core.library.resolve import link_targets
from tintype.core.runtime.query_cache import BatchCache
from tintype.dialects.smartsheet import errors, links, wire
from tintype.dialects.smartsheet.settings import Settings
from tintype.model import Caller, Error, Image, Invalid, LinkTarget, Placement
from tintype.web.api import ApiRequest, endpoint
from tintype.web.bodies import read, staged_body
from tintype.web.conditions import Headers
from tintype.web.context import Context
from tintype.web.dialect_routes import RawResponse
from tintype.web.disconnect import cancel_on_disconnect
from tintype.web.responses import json_response

READ = "READ_SHEETS"
WRITE = "WRITE_SHEETS"

ROW = "/2.0/sheets/{sheet:str}/rows/{row:str}"

MAX_REFUSED_LOGGED, MAX_ID_LOGGED = 25, 40
"""The most refused items of a batch that are logged one by one, and the most characters of their ids."""

Request = ApiRequest[Settings]


@endpoint("POST", "/2.0/imageurls", "/imageurls", scope=READ, raw=True)
async def image_urls(request: Request, caller: Caller) -> RawResponse:
    """The temporary URLs for a batch of image ids and sizes, in the order of the request."""
    headers, settings = checked_headers(request.context), request.settings
    raw = await read(request, settings.max_body_bytes)
    items = wire.parse_valid_items(raw, headers, max_images=settings.max_images)
    expires = links.expiry(request.services.clock(), settings.link_seconds)

    async def make() -> list[wire.ImageUrl]:
        requested = wire.parse_request(raw, headers, max_images=settings.max_images)
        return await _image_urls(request, caller, requested, expires)

    urls = await _url_cache(request, caller, expires).answers(items, make)
    return wire.encode_response(urls, settings.link_seconds * 1000)


def _upload_cost(settings: Settings) -> int:
    return settings.upload_cost


@endpoint("POST", ROW + "/columns/{column:str}/cellimages", scope=WRITE, cost=_upload_cost)
async def add_cell_image(request: Request, caller: Caller) -> RawResponse:
    """Put an image into a cell. An image that was there before stays in the library, without a cell."""
    headers, query = checked_headers(request.context), request.context.query
    placement = wire.parse_placement(**request.path_params)
    upload = wire.parse_upload(headers, query, max_alt_text=request.settings.max_alt_text)
    placement = msgspec.structs.replace(placement, alt_text=upload.alt_text)
    image = await _record_cell_image(request, caller, upload.filename, placement)
    row = await attached(request.services, caller, placement)
    return json_response(wire.encode_added(placement, image, row))


@endpoint("GET", ROW, scope=READ)
async def get_row(request: Request, caller: Caller) -> RawResponse:
    """Read a row: its cells that have an image."""
    checked_headers(request.context)
    exclude = wire.parse_exclude(request.context.query)
    placement = wire.parse_placement(**request.path_params)
    cells = await attached(request.services, caller, placement)
    return json_response(wire.encode_row(placement, cells, exclude))


async def _record_cell_image(request: Request, caller: Caller, filename: str, placement: Placement) -> Image:
    """Record the image in the body, in the place of the one that the cell has."""
    services, context = request.services, request.context
    limit = min(request.settings.max_upload_bytes, services.images.max_bytes)
    with wire.upload_errors():
        async with staged_body(request, caller, limit) as staged:
            wire.require_length(context.headers, staged.size)
            work = inspect_staged(services, caller, staged)
            info = wire.require_accepted_format(await cancel_on_disconnect(context, request.receive, work))
            return await record_image(
                services, caller, staged, info, filename, placement=placement, replace=True
            )


def checked_headers(context: Context) -> Headers:
    """The headers of a request; those that the vendor only wants logged are.

    Raises:
        Error: as `wire.require_headers`.
    """
    wire.require_headers(context.headers)
    context.notes.update(wire.log_fields(context.headers))
    return context.headers


def _url_cache(request: Request, caller: Caller, expires: int) -> BatchCache[wire.ValidItem, wire.ImageUrl]:
    generation = request.services.keyring.generation
    prefix = f"{caller.account.id} {request.context.base_url} {generation} {expires}"
    # Clients that show a sheet request the same URLs repeatedly.
    return BatchCache(request.services.query_cache, prefix, lambda url: url.error is None)


async def _image_urls(
    request: Request, caller: Caller, requested: Sequence[wire.RequestedImage], expires: int
) -> list[wire.ImageUrl]:
    ids = [item.image for item in requested if item.image is not None]
    found = await link_targets(request.services, caller, ids)
    urls = [_image_url(request, position, item, found, expires) for position, item in enumerate(requested)]
    _log_refused(request.context, urls)
    return urls


def _image_url(
    request: Request,
    position: int,
    requested: wire.RequestedImage,
    found: dict[uuid.UUID, LinkTarget],
    expires: int,
) -> wire.ImageUrl:
    context = request.context
    target = None if requested.image is None else found.get(requested.image)
    if requested.error is not None or target is None:
        return _failed_item(context, position, requested, requested.error or errors.MayNotView())
    limits = request.services.unsigned.for_signed()
    try:
        size = links.delivered_size(target, requested.width, requested.height, limits)
    except Invalid as refused:
        return _failed_item(context, position, requested, refused)
    link = links.Link(target.id, target.version, expires, size)
    url = context.base_url + links.write(link, request.services.keyring.sign(link.parts()))
    actual = size or target
    return wire.ImageUrl(requested.image_id, url, actual.width, actual.height)


def _failed_item(
    context: Context, position: int, requested: wire.RequestedImage, error: Error
) -> wire.ImageUrl:
    """The error of one item. Its reference starts with the id of the request, which is in the log."""
    return wire.ImageUrl(requested.image_id, error=errors.failure(error, f"{context.request_id}-{position}"))


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
