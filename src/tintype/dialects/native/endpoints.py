"""`/v1/images`: upload, list, look at, change, delete; `/v1/links`: links to renditions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

from litestar import Response, delete, get, patch, post, put
from litestar.di import NamedDependency as Given
from litestar.params import FromPath

from tintype.core import Services
from tintype.core.access.auth import require_scope
from tintype.core.library.browse import find_image, newest_images
from tintype.core.library.deletion import delete as retire
from tintype.core.library.ingest import examine, keep
from tintype.core.library.resolve import versions
from tintype.core.library.update import replace, set_status
from tintype.core.runtime.rate_limit import RateLimiter
from tintype.core.upkeep.purge import purge
from tintype.dialects.native import links, wire
from tintype.dialects.native.settings import Settings
from tintype.imaging import Recipe
from tintype.model import Caller, Error, Image, Kind, LinkTarget, no_such_image
from tintype.model.ids import parse_uuid
from tintype.web.bodies import AnyRequest, Part, filename, is_multipart, staged_body, staged_part
from tintype.web.context import Context
from tintype.web.disconnect import cancel_on_disconnect
from tintype.web.responses import json_response

READ = "images:read"
WRITE = "images:write"
FIELD = "file"
"""The field of a multipart body that holds the image."""

_PRIVATE = {"Cache-Control": "no-store"}
"""Answers hold links that need no token, so no cache may keep them."""


@post("/v1/images", status_code=201)
async def upload(
    request: AnyRequest,
    services: Given[Services],
    settings: Given[Settings],
    context: Given[Context],
    caller: Given[Caller],
    rate_limiter: Given[RateLimiter],
) -> Response[bytes]:
    """Take an image in: the body itself, or the field `file` of a multipart body."""
    rate_limiter.take(caller.token_id)
    require_scope(caller, WRITE)
    status = wire.parse_status(context.query)
    async with _received(request, services, settings, caller) as part:
        info = await cancel_on_disconnect(context, request.receive, examine(services, caller, part.staged))
        image = await keep(services, caller, part.staged, info, part.filename, status=status)
    headers = {"Location": f"{context.base_url}/v1/images/{image.id}", **_PRIVATE}
    return json_response(
        wire.encode_response(image, _url(services, context, image)), status=201, headers=headers
    )


@get("/v1/images")
async def get_images(
    services: Given[Services],
    settings: Given[Settings],
    context: Given[Context],
    caller: Given[Caller],
    rate_limiter: Given[RateLimiter],
) -> Response[bytes]:
    """One page of the account's images, newest first."""
    rate_limiter.take(caller.token_id)
    require_scope(caller, READ)
    asked = wire.parse_page(context.query, default_limit=settings.default_limit, max_limit=settings.max_limit)
    # One more than asked for tells whether there is another page.
    found = await newest_images(services, caller, asked.before, asked.limit + 1)
    shown = [(image, _url(services, context, image)) for image in found[: asked.limit]]
    return json_response(wire.answer_page(shown, more=len(found) > asked.limit), headers=_PRIVATE)


@get("/v1/images/{image_id:str}")
async def get_image(
    image_id: FromPath[str],
    services: Given[Services],
    context: Given[Context],
    caller: Given[Caller],
    rate_limiter: Given[RateLimiter],
) -> Response[bytes]:
    """One image."""
    rate_limiter.take(caller.token_id)
    require_scope(caller, READ)
    image = await find_image(services, caller, _id(image_id))
    return json_response(wire.encode_response(image, _url(services, context, image)), headers=_PRIVATE)


@patch("/v1/images/{image_id:str}")
async def change_image(
    image_id: FromPath[str],
    raw: Given[bytes],
    services: Given[Services],
    context: Given[Context],
    caller: Given[Caller],
    rate_limiter: Given[RateLimiter],
) -> Response[bytes]:
    """Archive one image, or bring it back; on return its links are dead, or open again."""
    rate_limiter.take(caller.token_id)
    require_scope(caller, WRITE)
    image = await set_status(services, caller, _id(image_id), wire.parse_change(raw))
    return json_response(wire.encode_response(image, _url(services, context, image)), headers=_PRIVATE)


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
    """Give one image other bytes, sent as an upload's are; links to the version before are dead on return."""
    rate_limiter.take(caller.token_id)
    require_scope(caller, WRITE)
    id = _id(image_id)
    # Before anything is read for nobody.
    present = await find_image(services, caller, id)
    async with _received(request, services, settings, caller, replaces=present.bytes) as part:
        info = await cancel_on_disconnect(context, request.receive, examine(services, caller, part.staged))
        image = await replace(services, caller, id, part.staged, info, part.filename)
    return json_response(wire.encode_response(image, _url(services, context, image)), headers=_PRIVATE)


@delete("/v1/images/{image_id:str}")
async def delete_image(
    image_id: FromPath[str],
    services: Given[Services],
    caller: Given[Caller],
    rate_limiter: Given[RateLimiter],
) -> None:
    """Delete one image; its links are dead on return."""
    rate_limiter.take(caller.token_id)
    require_scope(caller, WRITE)
    await retire(services, caller, _id(image_id))


@delete("/v1/images/{image_id:str}/renditions", status_code=200)
async def purge_renditions(
    image_id: FromPath[str],
    services: Given[Services],
    caller: Given[Caller],
    rate_limiter: Given[RateLimiter],
) -> Response[bytes]:
    """Drop what was made of one image, and tell what that was."""
    rate_limiter.take(caller.token_id)
    require_scope(caller, WRITE)
    receipt = await purge(services, caller, _id(image_id))
    return json_response(wire.answer_receipt(receipt), headers=_PRIVATE)


@post("/v1/links", status_code=200)
async def make_links(
    raw: Given[bytes],
    services: Given[Services],
    settings: Given[Settings],
    context: Given[Context],
    caller: Given[Caller],
    rate_limiter: Given[RateLimiter],
) -> Response[bytes]:
    """A batch of image ids and recipes to signed links, in the order asked."""
    rate_limiter.take(caller.token_id)
    require_scope(caller, READ)
    asked = wire.parse_links(raw, most=settings.max_links)
    found = await versions(services, caller, [each.image for each, _ in asked])
    signed = [_link(services, context, each, recipe, found.get(each.image)) for each, recipe in asked]
    return json_response(wire.answer_links(signed), headers=_PRIVATE)


@asynccontextmanager
async def _received(
    request: AnyRequest, services: Services, settings: Settings, caller: Caller, replaces: int | None = None
) -> AsyncIterator[Part]:
    """The upload, staged; its name is empty if it has none."""
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
            raise Error(Kind.INVALID, f"There has to be exactly one field `{FIELD}`.", field=FIELD)
        yield part


def _link(
    services: Services,
    context: Context,
    asked: wire.LinkRequest,
    recipe: Recipe | None,
    found: LinkTarget | None,
) -> wire.SignedLink:
    if found is None:
        return wire.SignedLink(asked.image, None, None)
    ends = None
    if asked.expires_in is not None:
        ends = services.clock().replace(microsecond=0) + timedelta(seconds=asked.expires_in)
    link = links.Link(found.id, found.version, recipe, None if ends is None else int(ends.timestamp()))
    return wire.SignedLink(asked.image, _signed(services, context, link), ends)


def _url(services: Services, context: Context, image: Image) -> str:
    return _signed(services, context, links.Link(image.id, image.version))


def _signed(services: Services, context: Context, link: links.Link) -> str:
    return context.base_url + links.write(link, services.keyring.sign(link.parts()))


def _id(text: str) -> UUID:
    found = parse_uuid(text)
    if found is None:
        raise no_such_image()
    return found
