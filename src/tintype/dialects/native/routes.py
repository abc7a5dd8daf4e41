"""`/v1/images`: upload, list, look at, change, delete; `/v1/links`: links to renditions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from litestar import Response, delete, get, patch, post, put
from litestar.di import NamedDependency as Given
from litestar.params import FromPath
from msgspec import Meta, Struct

from tintype.core import House
from tintype.core.browse import newest, no_such_image, one
from tintype.core.curate import replace, set_status
from tintype.core.ingest import examine, keep
from tintype.core.pace import Pace
from tintype.core.permit import require_scope
from tintype.core.purge import purge
from tintype.core.resolve import versions
from tintype.core.retire import delete as retire
from tintype.dialects.native import links, wire
from tintype.imaging import Recipe
from tintype.model import Caller, Error, Image, Kind, Version
from tintype.model.ids import parse_uuid
from tintype.web.bodies import AnyRequest, Part, filename, is_multipart, staged_body, staged_part
from tintype.web.context import Context
from tintype.web.gone import unless_gone
from tintype.web.responses import json_response

READ = "images:read"
WRITE = "images:write"
FIELD = "file"
"""The field of a multipart body that holds the image."""

_PRIVATE = {"Cache-Control": "no-store"}
"""Answers hold links that need no token, so no cache may keep them."""


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """The native dialect."""

    requests: int = 6_000
    """Requests that one token may make in a window; 0 is no limit."""
    window_seconds: float = 60
    """Length of the sliding window, in seconds."""
    default_limit: Annotated[int, Meta(ge=1)] = 50
    """Images on a page when `limit` is absent."""
    max_limit: Annotated[int, Meta(ge=1)] = 1000
    """The largest `limit`."""
    max_body_bytes: Annotated[int, Meta(ge=0)] = 1024 * 1024
    """The most that a multipart body may hold besides the image itself, in bytes; all of any other body."""
    max_links: Annotated[int, Meta(ge=1)] = 1000
    """The most links of one request."""
    max_age_seconds: Annotated[int, Meta(ge=0)] = 3600
    """How long clients may keep a delivered picture without asking again."""


@post("/v1/images", status_code=201)
async def upload(
    request: AnyRequest,
    house: Given[House],
    settings: Given[Settings],
    context: Given[Context],
    caller: Given[Caller],
    pace: Given[Pace],
) -> Response[bytes]:
    """Take an image in: the body itself, or the field `file` of a multipart body."""
    pace.take(caller.token_id)
    require_scope(caller, WRITE)
    status = wire.parse_status(context.query)
    async with _received(request, house, settings, caller) as part:
        facts = await unless_gone(context, request.receive, examine(house, caller, part.staged))
        image = await keep(house, caller, part.staged, facts, part.filename, status=status)
    headers = {"Location": f"{context.base_url}/v1/images/{image.id}", **_PRIVATE}
    return json_response(wire.answer(image, _url(house, context, image)), status=201, headers=headers)


@get("/v1/images")
async def get_images(
    house: Given[House],
    settings: Given[Settings],
    context: Given[Context],
    caller: Given[Caller],
    pace: Given[Pace],
) -> Response[bytes]:
    """One page of the account's images, newest first."""
    pace.take(caller.token_id)
    require_scope(caller, READ)
    asked = wire.parse_page(context.query, default_limit=settings.default_limit, max_limit=settings.max_limit)
    # One more than asked for tells whether there is another page.
    found = await newest(house, caller, asked.before, asked.limit + 1)
    shown = [(image, _url(house, context, image)) for image in found[: asked.limit]]
    return json_response(wire.answer_page(shown, more=len(found) > asked.limit), headers=_PRIVATE)


@get("/v1/images/{image_id:str}")
async def get_image(
    image_id: FromPath[str],
    house: Given[House],
    context: Given[Context],
    caller: Given[Caller],
    pace: Given[Pace],
) -> Response[bytes]:
    """One image."""
    pace.take(caller.token_id)
    require_scope(caller, READ)
    image = await one(house, caller, _id(image_id))
    return json_response(wire.answer(image, _url(house, context, image)), headers=_PRIVATE)


@patch("/v1/images/{image_id:str}")
async def change_image(
    image_id: FromPath[str],
    raw: Given[bytes],
    house: Given[House],
    context: Given[Context],
    caller: Given[Caller],
    pace: Given[Pace],
) -> Response[bytes]:
    """Archive one image, or bring it back; on return its links are dead, or open again."""
    pace.take(caller.token_id)
    require_scope(caller, WRITE)
    image = await set_status(house, caller, _id(image_id), wire.parse_change(raw))
    return json_response(wire.answer(image, _url(house, context, image)), headers=_PRIVATE)


@put("/v1/images/{image_id:str}/original")
async def replace_original(
    request: AnyRequest,
    image_id: FromPath[str],
    house: Given[House],
    settings: Given[Settings],
    context: Given[Context],
    caller: Given[Caller],
    pace: Given[Pace],
) -> Response[bytes]:
    """Give one image other bytes, sent as an upload's are; links to the version before are dead on return."""
    pace.take(caller.token_id)
    require_scope(caller, WRITE)
    id = _id(image_id)
    # Before anything is read for nobody.
    present = await one(house, caller, id)
    async with _received(request, house, settings, caller, replaces=present.bytes) as part:
        facts = await unless_gone(context, request.receive, examine(house, caller, part.staged))
        image = await replace(house, caller, id, part.staged, facts, part.filename)
    return json_response(wire.answer(image, _url(house, context, image)), headers=_PRIVATE)


@delete("/v1/images/{image_id:str}")
async def delete_image(
    image_id: FromPath[str],
    house: Given[House],
    caller: Given[Caller],
    pace: Given[Pace],
) -> None:
    """Delete one image; its links are dead on return."""
    pace.take(caller.token_id)
    require_scope(caller, WRITE)
    await retire(house, caller, _id(image_id))


@delete("/v1/images/{image_id:str}/renditions", status_code=200)
async def purge_renditions(
    image_id: FromPath[str],
    house: Given[House],
    caller: Given[Caller],
    pace: Given[Pace],
) -> Response[bytes]:
    """Drop what was made of one image, and tell what that was."""
    pace.take(caller.token_id)
    require_scope(caller, WRITE)
    receipt = await purge(house, caller, _id(image_id))
    return json_response(wire.answer_receipt(receipt), headers=_PRIVATE)


@post("/v1/links", status_code=200)
async def make_links(
    raw: Given[bytes],
    house: Given[House],
    settings: Given[Settings],
    context: Given[Context],
    caller: Given[Caller],
    pace: Given[Pace],
) -> Response[bytes]:
    """A batch of image ids and recipes to signed links, in the order asked."""
    pace.take(caller.token_id)
    require_scope(caller, READ)
    asked = wire.parse_links(raw, most=settings.max_links)
    found = await versions(house, caller, [each.image for each, _ in asked])
    signed = [_link(house, context, each, recipe, found.get(each.image)) for each, recipe in asked]
    return json_response(wire.answer_links(signed), headers=_PRIVATE)


@asynccontextmanager
async def _received(
    request: AnyRequest, house: House, settings: Settings, caller: Caller, replaces: int | None = None
) -> AsyncIterator[Part]:
    """The upload, staged; its name is empty if it has none."""
    limit = house.images.max_bytes
    if not is_multipart(request):
        async with staged_body(house, caller, request, limit, replaces) as staged:
            yield Part(staged, filename(request.headers.get("content-disposition", "")) or "", 1)
        return
    whole = limit + settings.max_body_bytes
    async with staged_part(
        house, caller, request, FIELD, limit=limit, body_limit=whole, replaces=replaces
    ) as part:
        if part is None or part.count != 1:
            raise Error(Kind.INVALID, f"There has to be exactly one field `{FIELD}`.", field=FIELD)
        yield part


def _link(
    house: House, context: Context, asked: wire.LinkRequest, recipe: Recipe | None, found: Version | None
) -> wire.SignedLink:
    if found is None:
        return wire.SignedLink(asked.image, None, None)
    ends = None
    if asked.expires_in is not None:
        ends = house.clock().replace(microsecond=0) + timedelta(seconds=asked.expires_in)
    link = links.Link(found.id, found.version, recipe, None if ends is None else int(ends.timestamp()))
    return wire.SignedLink(asked.image, _signed(house, context, link), ends)


def _url(house: House, context: Context, image: Image) -> str:
    return _signed(house, context, links.Link(image.id, image.version))


def _signed(house: House, context: Context, link: links.Link) -> str:
    return context.base_url + links.write(link, house.keyring.sign(link.parts()))


def _id(text: str) -> UUID:
    found = parse_uuid(text)
    if found is None:
        raise no_such_image()
    return found
