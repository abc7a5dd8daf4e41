"""`/v1/images`: upload, list, read, change, delete. `/v1/links`: make links to renditions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

from litestar import Response, delete, get, patch, post, put
from litestar.di import NamedDependency as Given
from litestar.params import FromPath

from tintype.core import Services
from tintype.core.access.auth import require_scope
from tintype.core.library import deletion
from tintype.core.library.browse import find_image, newest_images
from tintype.core.library.ingest import examine, record_image
from tintype.core.library.resolve import link_targets
from tintype.core.library.update import replace, set_status
from tintype.core.runtime.rate_limit import RateLimiter
from tintype.core.upkeep.purge import purge
from tintype.dialects.native import links, wire
from tintype.dialects.native.settings import Settings
from tintype.imaging import Recipe
from tintype.model import Caller, Image, InvalidField, LinkTarget, no_such_image
from tintype.model.ids import parse_uuid
from tintype.web.bodies import AnyRequest, Part, filename, is_multipart, staged_body, staged_part
from tintype.web.context import Context
from tintype.web.disconnect import cancel_on_disconnect
from tintype.web.responses import json_response

READ = "images:read"
WRITE = "images:write"
FIELD = "file"
"""The field of a multipart body that contains the image."""

_PRIVATE = {"Cache-Control": "no-store"}
"""Responses contain links that need no token, so no cache may store them."""


@post("/v1/images", status_code=201)
async def upload(
    request: AnyRequest,
    services: Given[Services],
    settings: Given[Settings],
    context: Given[Context],
    caller: Given[Caller],
    rate_limiter: Given[RateLimiter],
) -> Response[bytes]:
    """Upload an image: the body itself, or the field `file` of a multipart body."""
    rate_limiter.take(caller.token_id)
    require_scope(caller, WRITE)
    status = wire.parse_status(context.query)
    async with _staged_upload(request, services, settings, caller) as part:
        info = await cancel_on_disconnect(context, request.receive, examine(services, caller, part.staged))
        image = await record_image(services, caller, part.staged, info, part.filename, status=status)
    headers = {"Location": f"{context.base_url}/v1/images/{image.id}", **_PRIVATE}
    return _respond(services, context, image, status=201, headers=headers)


@get("/v1/images")
async def get_images(
    services: Given[Services],
    settings: Given[Settings],
    context: Given[Context],
    caller: Given[Caller],
    rate_limiter: Given[RateLimiter],
) -> Response[bytes]:
    """List one page of the account's images, newest first."""
    rate_limiter.take(caller.token_id)
    require_scope(caller, READ)
    page = wire.parse_list_query(
        context.query, default_limit=settings.default_limit, max_limit=settings.max_limit
    )
    # One more than requested shows whether there is another page.
    found = await newest_images(services, caller, page.before, page.limit + 1)
    shown = [(image, _url(services, context, image)) for image in found[: page.limit]]
    return json_response(wire.encode_page(shown, more=len(found) > page.limit), headers=_PRIVATE)


@get("/v1/images/{image_id:str}")
async def get_image(
    image_id: FromPath[str],
    services: Given[Services],
    context: Given[Context],
    caller: Given[Caller],
    rate_limiter: Given[RateLimiter],
) -> Response[bytes]:
    """Read one image."""
    rate_limiter.take(caller.token_id)
    require_scope(caller, READ)
    image = await find_image(services, caller, _id(image_id))
    return _respond(services, context, image)


@patch("/v1/images/{image_id:str}")
async def change_image(
    image_id: FromPath[str],
    raw: Given[bytes],
    services: Given[Services],
    context: Given[Context],
    caller: Given[Caller],
    rate_limiter: Given[RateLimiter],
) -> Response[bytes]:
    """Archive or restore one image. When this returns, its links are dead or work again."""
    rate_limiter.take(caller.token_id)
    require_scope(caller, WRITE)
    image = await set_status(services, caller, _id(image_id), wire.parse_change(raw))
    return _respond(services, context, image)


@put("/v1/images/{image_id:str}/original")
async def replace_original(
    request: AnyRequest,
    image_id: FromPath[str],
    services: Given[Services],
    settings: Given[Settings],
    context: Given[Context],
    caller: Given[Caller],
    rate_limiter: Given[RateLimiter],
) -> Response[bytes]:
    """Replace the original of one image. When this returns, links to the previous version are dead."""
    rate_limiter.take(caller.token_id)
    require_scope(caller, WRITE)
    id = _id(image_id)
    # Before the body is read, so that nothing is read for an image that does not exist.
    present = await find_image(services, caller, id)
    async with _staged_upload(request, services, settings, caller, replaces=present.bytes) as part:
        info = await cancel_on_disconnect(context, request.receive, examine(services, caller, part.staged))
        image = await replace(services, caller, id, part.staged, info, part.filename)
    return _respond(services, context, image)


@delete("/v1/images/{image_id:str}")
async def delete_image(
    image_id: FromPath[str],
    services: Given[Services],
    caller: Given[Caller],
    rate_limiter: Given[RateLimiter],
) -> None:
    """Delete one image. When this returns, its links are dead."""
    rate_limiter.take(caller.token_id)
    require_scope(caller, WRITE)
    await deletion.delete(services, caller, _id(image_id))


@delete("/v1/images/{image_id:str}/renditions", status_code=200)
async def purge_renditions(
    image_id: FromPath[str],
    services: Given[Services],
    caller: Given[Caller],
    rate_limiter: Given[RateLimiter],
) -> Response[bytes]:
    """Delete the renditions of one image, and list them."""
    rate_limiter.take(caller.token_id)
    require_scope(caller, WRITE)
    receipt = await purge(services, caller, _id(image_id))
    return json_response(wire.encode_receipt(receipt), headers=_PRIVATE)


@post("/v1/links", status_code=200)
async def make_links(
    raw: Given[bytes],
    services: Given[Services],
    settings: Given[Settings],
    context: Given[Context],
    caller: Given[Caller],
    rate_limiter: Given[RateLimiter],
) -> Response[bytes]:
    """Make signed links for a batch of image ids and recipes, in the order of the request."""
    rate_limiter.take(caller.token_id)
    require_scope(caller, READ)
    requested = wire.parse_links(raw, max_links=settings.max_links)
    found = await link_targets(services, caller, [each.image for each, _ in requested])
    signed = [_link(services, context, each, recipe, found.get(each.image)) for each, recipe in requested]
    return json_response(wire.encode_links(signed), headers=_PRIVATE)


@asynccontextmanager
async def _staged_upload(
    request: AnyRequest, services: Services, settings: Settings, caller: Caller, replaces: int | None = None
) -> AsyncIterator[Part]:
    """The upload in the staging folder; its file name is empty if the client sent none."""
    limit = services.images.max_bytes
    if not is_multipart(request):
        async with staged_body(services, caller, request, limit, replaces) as staged:
            yield Part(staged, filename(request.headers.get("content-disposition", "")) or "", 1)
        return
    whole = limit + settings.max_body_bytes
    async with staged_part(
        services, caller, request, FIELD, limit=limit, body_limit=whole, replaces=replaces
    ) as part:
        if part is None or part.count != 1:
            raise InvalidField(FIELD, f"There has to be exactly one field `{FIELD}`.")
        yield part


def _link(
    services: Services,
    context: Context,
    requested: wire.LinkRequest,
    recipe: Recipe | None,
    target: LinkTarget | None,
) -> wire.SignedLink:
    if target is None:
        return wire.SignedLink(requested.image, None, None)
    expires_at = None
    if requested.expires_in is not None:
        expires_at = services.clock().replace(microsecond=0) + timedelta(seconds=requested.expires_in)
    expires = None if expires_at is None else int(expires_at.timestamp())
    link = links.Link(target.id, target.version, recipe, expires)
    return wire.SignedLink(requested.image, _signed_url(services, context, link), expires_at)


def _respond(
    services: Services,
    context: Context,
    image: Image,
    status: int = 200,
    headers: dict[str, str] = _PRIVATE,
) -> Response[bytes]:
    """The image and a link to it."""
    return json_response(
        wire.encode_response(image, _url(services, context, image)), status=status, headers=headers
    )


def _url(services: Services, context: Context, image: Image) -> str:
    return _signed_url(services, context, links.Link(image.id, image.version))


def _signed_url(services: Services, context: Context, link: links.Link) -> str:
    return context.base_url + links.write(link, services.keyring.sign(link.parts()))


def _id(text: str) -> UUID:
    found = parse_uuid(text)
    if found is None:
        raise no_such_image()
    return found
