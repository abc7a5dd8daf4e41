"""`/v1/images`: upload, list, read, change, delete. `/v1/links`: make links to renditions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

from tintype.core.library import deletion
from tintype.core.library.browse import find_image, newest_images
from tintype.core.library.ingest import examine, record_image
from tintype.core.library.resolve import link_targets
from tintype.core.library.update import replace, set_status
from tintype.core.runtime.unsigned_limits import UnsignedLimits
from tintype.core.upkeep.purge import purge
from tintype.dialects.native import links, wire
from tintype.dialects.native.settings import Settings
from tintype.dialects.native.wire import READ, WRITE
from tintype.imaging import ImageInfo, Recipe
from tintype.model import Caller, Image, Invalid, InvalidField, LinkTarget, Status
from tintype.web.api import ApiRequest, endpoint
from tintype.web.bodies import Part, filename, is_multipart, read, staged_body, staged_part
from tintype.web.dialect_routes import RawResponse
from tintype.web.disconnect import cancel_on_disconnect
from tintype.web.responses import json_response, no_content

FIELD = "file"
"""The field of a multipart body that contains the image."""

_PRIVATE = {"Cache-Control": "no-store"}
"""Responses contain links that need no token, so no cache may store them."""


Request = ApiRequest[Settings]


@endpoint("POST", "/v1/images", scope=WRITE)
async def upload(request: Request, caller: Caller) -> RawResponse:
    """Upload an image: the body itself, or the field `file` of a multipart body."""
    services = request.services
    status = wire.parse_status(request.context.query)
    async with _staged_upload(request, caller) as part:
        info = await _examine(request, caller, part)
        image = await record_image(services, caller, part.staged, info, part.filename, status=status)
    headers = {"Location": f"{request.context.base_url}/v1/images/{image.id}", **_PRIVATE}
    return _respond(request, image, status=201, headers=headers)


@endpoint("GET", "/v1/images", scope=READ)
async def get_images(request: Request, caller: Caller) -> RawResponse:
    """List one page of the account's images, newest first."""
    page = wire.parse_list_query(
        request.context.query,
        default_limit=request.settings.default_limit,
        max_limit=request.settings.max_limit,
    )
    # One more than requested shows whether there is another page.
    found = await newest_images(request.services, caller, page.before, page.limit + 1)
    shown = [(image, _url(request, image)) for image in found[: page.limit]]
    return json_response(wire.encode_page(shown, more=len(found) > page.limit), headers=_PRIVATE)


@endpoint("GET", "/v1/images/{image_id:str}", scope=READ)
async def get_image(request: Request, caller: Caller) -> RawResponse:
    """Read one image."""
    return _respond(request, await find_image(request.services, caller, _image_id(request)))


@endpoint("PATCH", "/v1/images/{image_id:str}", scope=WRITE)
async def change_image(request: Request, caller: Caller) -> RawResponse:
    """Archive or restore one image. When this returns, its links are dead or work again."""
    raw = await read(request, request.settings.max_body_bytes)
    image_id = _image_id(request)
    return _respond(request, await set_status(request.services, caller, image_id, wire.parse_change(raw)))


@endpoint("PUT", "/v1/images/{image_id:str}/original", scope=WRITE)
async def replace_original(request: Request, caller: Caller) -> RawResponse:
    """Replace the original of one image. When this returns, links to the previous version are dead."""
    image_id = _image_id(request)
    # Before the body is read, so that nothing is read for an image that does not exist.
    present = await find_image(request.services, caller, image_id)
    async with _staged_upload(request, caller, replaces=present.bytes) as part:
        info = await _examine(request, caller, part)
        image = await replace(request.services, caller, image_id, part.staged, info, part.filename)
    return _respond(request, image)


@endpoint("DELETE", "/v1/images/{image_id:str}", scope=WRITE)
async def delete_image(request: Request, caller: Caller) -> RawResponse:
    """Delete one image. When this returns, its links are dead."""
    await deletion.delete(request.services, caller, _image_id(request))
    return no_content()


@endpoint("DELETE", "/v1/images/{image_id:str}/renditions", scope=WRITE)
async def purge_renditions(request: Request, caller: Caller) -> RawResponse:
    """Delete the renditions of one image, and list them."""
    receipt = await purge(request.services, caller, _image_id(request))
    return json_response(wire.encode_receipt(receipt), headers=_PRIVATE)


@endpoint("POST", "/v1/links", scope=READ)
async def make_links(request: Request, caller: Caller) -> RawResponse:
    """Make signed links for a batch of image ids and recipes, in the order of the request."""
    raw = await read(request, request.settings.max_body_bytes)
    requested = wire.parse_links(raw, max_links=request.settings.max_links)
    found = await link_targets(request.services, caller, [each.image for each, _ in requested])
    limits = request.services.unsigned.for_signed()
    signed = [_link(request, each, recipe, found.get(each.image), limits) for each, recipe in requested]
    return json_response(wire.encode_links(signed), headers=_PRIVATE)


@asynccontextmanager
async def _staged_upload(
    request: Request, caller: Caller, replaces: int | None = None
) -> AsyncIterator[Part]:
    """The upload in the staging folder; its file name is empty if the client sent none."""
    limit, headers = request.services.images.max_bytes, request.context.headers
    if not is_multipart(headers):
        async with staged_body(request, caller, limit, replaces) as staged:
            yield Part(staged, filename(headers.get("content-disposition", "")) or "", 1)
        return
    whole = limit + request.settings.max_body_bytes
    async with staged_part(request, caller, FIELD, limit=limit, body_limit=whole, replaces=replaces) as part:
        if part is None or part.count != 1:
            raise InvalidField(FIELD, f"There has to be exactly one field `{FIELD}`.")
        yield part


async def _examine(request: Request, caller: Caller, part: Part) -> ImageInfo:
    """What the upload is; the work ends when the client disconnects."""
    work = examine(request.services, caller, part.staged)
    return await cancel_on_disconnect(request.context, request.receive, work)


def _link(
    request: Request,
    requested: wire.LinkRequest,
    recipe: Recipe | None,
    target: LinkTarget | None,
    limits: UnsignedLimits,
) -> wire.SignedLink:
    if target is None:
        return wire.SignedLink(requested.image, None, None)
    try:
        if recipe is not None:
            limits.require(target, recipe)
    except Invalid as refused:
        return wire.SignedLink(requested.image, None, None, refused.message)
    expires_at = None
    if requested.expires_in is not None:
        now = request.services.clock().replace(microsecond=0)
        expires_at = now + timedelta(seconds=requested.expires_in)
    expires = None if expires_at is None else int(expires_at.timestamp())
    link = links.Link(target.id, target.version, recipe, expires)
    return wire.SignedLink(requested.image, _signed_url(request, link), expires_at)


def _respond(
    request: Request, image: Image, status: int = 200, headers: dict[str, str] = _PRIVATE
) -> RawResponse:
    """The image and a link to it."""
    return json_response(wire.encode_response(image, _url(request, image)), status=status, headers=headers)


def _url(request: Request, image: Image) -> str | None:
    """A link to the original; None for an archived image, which no link opens."""
    if image.status is Status.ARCHIVED:
        return None
    return _signed_url(request, links.Link(image.id, image.version))


def _signed_url(request: Request, link: links.Link) -> str:
    return request.context.base_url + links.write(link, request.services.keyring.sign(link.parts()))


def _image_id(request: Request) -> UUID:
    return wire.parse_image_id(request.path_params["image_id"])
