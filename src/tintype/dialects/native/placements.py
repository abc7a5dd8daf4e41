"""`/v1/images/{id}/placements`: the places, such as products, that an image is attached to."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from tintype import model
from tintype.core.library.placement import attach, detach, list_placements
from tintype.dialects.native import wire
from tintype.dialects.native.settings import Settings
from tintype.model import Caller, InvalidField
from tintype.web.api import ApiRequest, endpoint
from tintype.web.bodies import read
from tintype.web.dialect_routes import RawResponse
from tintype.web.json_body import decode_any
from tintype.web.query import parse_query
from tintype.web.responses import json_response, no_content

Request = ApiRequest[Settings]

PATH = "/v1/images/{image_id:str}/placements"

Id = Annotated[str, Meta(min_length=1, max_length=128)]


class Placement(Struct, frozen=True, forbid_unknown_fields=True):
    """Where an image is attached, in the words of the dialect that has such places."""

    kind: Annotated[str, Meta(min_length=1, max_length=16)]
    container: Id
    holder: Id
    slot: Annotated[str, Meta(max_length=128)] = ""
    alt_text: Annotated[str, Meta(max_length=100)] = ""


class Placements(Struct, frozen=True):
    """The places of an image, in the order in which it was attached."""

    placements: list[Placement]


@endpoint("GET", PATH, scope=wire.READ)
async def get_placements(request: Request, caller: Caller) -> RawResponse:
    """List the places of one image."""
    image_id = wire.parse_image_id(request.path_params["image_id"])
    found = await list_placements(request.services, caller, image_id)
    return json_response(msgspec.json.encode(Placements([_shown(each) for each in found])))


@endpoint("POST", PATH, scope=wire.WRITE)
async def attach_image(request: Request, caller: Caller) -> RawResponse:
    """Attach one image to a place whose rules it keeps."""
    image_id = wire.parse_image_id(request.path_params["image_id"])
    placement = _parse(decode_any(await read(request, request.settings.max_body_bytes)))
    await attach(request.services, caller, image_id, placement)
    return json_response(msgspec.json.encode(_shown(placement)), status=201)


@endpoint("DELETE", PATH, scope=wire.WRITE)
async def detach_image(request: Request, caller: Caller) -> RawResponse:
    """Detach one image from the place that the query names. The image stays."""
    image_id = wire.parse_image_id(request.path_params["image_id"])
    parameters = parse_query(request.context.query, wire.too_many_parameters)
    await detach(request.services, caller, image_id, _parse(parameters))
    return no_content()


def _parse(fields: object) -> model.Placement:
    try:
        placement = msgspec.convert(fields, Placement)
    except msgspec.ValidationError as wrong:
        sentence, _, path = str(wrong).partition(" - at `$.")
        raise InvalidField(path.rstrip("`") or "placement", f"{sentence}.") from wrong
    return msgspec.convert(placement, model.Placement, from_attributes=True)


def _shown(placement: model.Placement) -> Placement:
    return msgspec.convert(placement, Placement, from_attributes=True)
