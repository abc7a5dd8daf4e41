"""Items of imageurls: image ids and sizes in, URLs or errors out."""

import re
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from tintype.dialects.smartsheet.errors import (
    AttributeMissing,
    BodyMissing,
    Failure,
    InvalidContentType,
    InvalidHeader,
    TooManyItems,
)
from tintype.dialects.smartsheet.wire.common import JSON, MAX_EXCERPT, excerpt, invalid_value
from tintype.model import Error, Malformed, UnsupportedType
from tintype.model.ids import parse_short, parse_uuid
from tintype.web.conditions import Headers
from tintype.web.dialect_routes import RawResponse
from tintype.web.json_body import decode_any

MAX_ITEM_SIDE = 2**31 - 1

# RFC 9110, 8.3.1 and 5.6.2: a type and a subtype, each a token, then parameters.
_MEDIA_TYPE = re.compile(r"\s*([\w!#$%&'*+.^`|~-]+/[\w!#$%&'*+.^`|~-]+)\s*(?:;.*)?\Z", re.ASCII | re.DOTALL)


class ImageUrl(Struct, frozen=True, rename="camel", omit_defaults=True):
    """The response for one item: a URL and the size of its image in pixels, or an error."""

    image_id: str | None = None
    url: str | None = None
    width: int | None = None
    height: int | None = None
    error: Failure | None = None


class ImageUrls(Struct, frozen=True, rename="camel"):
    """The response of imageurls, in the order of the request."""

    url_expires_in_millis: int
    image_urls: list[ImageUrl]


class RequestedImage(Struct, frozen=True):
    """One item of an imageurls request: an image and sides in pixels, or an error.

    `image_id` is the client's value, None if it was not a string. `image` is None also if the value
    is not a valid id.
    """

    image_id: str | None
    image: UUID | None = None
    width: int | None = None
    height: int | None = None
    error: Error | None = None


class ValidItem(Struct, frozen=True, rename="camel"):
    """One valid item of an imageurls request, as nearly all are. It is small, so it can be a cache key."""

    image_id: Annotated[str, Meta(max_length=MAX_EXCERPT)]
    width: Annotated[int, Meta(ge=1, le=MAX_ITEM_SIDE)] | None = None
    height: Annotated[int, Meta(ge=1, le=MAX_ITEM_SIDE)] | None = None


def parse_request(raw: bytes, headers: Headers, *, max_images: int) -> list[RequestedImage]:
    """Parse the body of imageurls: an array of items, or one item. Invalid items do not affect others.

    Raises:
        Malformed, UnsupportedType: when it is not JSON, or not items.
        AttributeMissing: when there are no items.
        TooManyItems: when there are too many.
    """
    if not raw.strip():
        raise BodyMissing
    _require_json(headers.get("content-type", ""))
    items = _decode(raw)
    if isinstance(items, dict):
        items = [items]
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Malformed("the body is an array of objects.")
    if not items:
        raise AttributeMissing("imageId")
    if len(items) > max_images:
        raise TooManyItems
    return [_requested_image(item) for item in items]


def parse_valid_items(raw: bytes, headers: Headers, *, max_images: int) -> list[ValidItem]:
    """The faster parser, for an array of valid items; any other body gives an empty list."""
    if headers.get("content-type") != JSON:
        return []
    try:
        items = msgspec.json.decode(raw, type=list[ValidItem])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    return items if len(items) <= max_images else []


def encode_response(urls: list[ImageUrl], expires_in: int) -> RawResponse:
    """Encode the response of imageurls; `expires_in` is in milliseconds."""
    return RawResponse(200, msgspec.json.encode(ImageUrls(expires_in, urls)), JSON)


def _require_json(content_type: str) -> None:
    if not content_type.strip():
        raise InvalidHeader("Content-Type")
    match = _MEDIA_TYPE.match(content_type)
    if match is None:
        raise InvalidContentType(excerpt(content_type))
    if match[1].lower() != JSON:
        raise UnsupportedType("The body has to be JSON.")


def _decode(raw: bytes) -> Any:  # noqa: ANN401  any JSON value
    try:
        return decode_any(raw)
    except Malformed as broken:
        raise Malformed("the body is not JSON.") from broken


def _requested_image(item: dict[str, Any]) -> RequestedImage:
    image_id = item.get("imageId")
    text = image_id if isinstance(image_id, str) else None
    try:
        return RequestedImage(text, _image(image_id), _side(item, "width"), _side(item, "height"))
    except Error as error:
        return RequestedImage(text, error=error)


def _image(image_id: object) -> UUID | None:
    if image_id is None or image_id == "":
        raise AttributeMissing("imageId")
    if not isinstance(image_id, str):
        raise invalid_value(image_id, "imageId")
    return parse_short(image_id) or parse_uuid(image_id)


def _side(item: dict[str, Any], name: str) -> int | None:
    value = item.get(name)
    if value is None:
        return None
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole or value < 1:
        raise invalid_value(value, name)
    return int(value)
