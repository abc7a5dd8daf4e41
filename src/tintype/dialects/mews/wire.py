"""The mews wire format: PascalCase JSON, tokens in the body, `{"Message": …}` for errors."""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from tintype.model import Error, InvalidField, Kind, Malformed
from tintype.model.ids import parse_uuid
from tintype.web.bodies import media_type
from tintype.web.conditions import Headers
from tintype.web.context import Context
from tintype.web.dialect_routes import RawResponse
from tintype.web.errors import STATUS, standard_headers
from tintype.web.json_body import decode_json

T = TypeVar("T")

_MISSING_FIELD = re.compile(r"Object missing required field `(\w+)`")
_FIELD_PATH = re.compile(r"at `\$(?:\[\.\.\.\])?\.?([\w.\[\]]*)`$")

_SESSION = "Cannot perform operation or session has expired."


class ResizeMode(StrEnum):
    """The modes that a request can have, spelled as in links."""

    COVER = "Cover"
    COVER_EXACT = "CoverExact"
    FIT = "Fit"
    FIT_EXACT = "FitExact"


class Credentials(Struct, frozen=True, rename="pascal"):
    """The tokens in the body, which are parsed first."""

    client_token: str | None = None
    access_token: str | None = None


class ImageSize(Struct, frozen=True, rename="pascal"):
    """One image and the requested size. Sides are in pixels."""

    image_id: str
    resize_mode: ResizeMode
    width: Annotated[int, Meta(ge=1)] | None = None
    height: Annotated[int, Meta(ge=1)] | None = None


class Request(Struct, frozen=True, rename="pascal"):
    """The body of getUrls. Unknown fields are ignored."""

    client: Annotated[str, Meta(min_length=1)]
    images: Annotated[list[ImageSize], Meta(min_length=1)]
    language_code: str | None = None
    culture_code: str | None = None
    masked_access_token: str | None = None
    masked_client_token: str | None = None


class ImageUrl(Struct, frozen=True, rename="pascal"):
    """One item of the response; `url` is null when the caller has no such image."""

    image_id: str
    url: str | None


class Response(Struct, frozen=True, rename="pascal"):
    """The response of getUrls, in the order of the request."""

    image_urls: list[ImageUrl]


class Failure(Struct, frozen=True, rename="pascal"):
    """The body of every error."""

    message: str
    request_id: str


def require_json(headers: Headers) -> None:
    """Check the Content-Type; none is accepted as JSON.

    Raises:
        Malformed: when it is not JSON.
    """
    if "content-type" in headers and media_type(headers) != "application/json":
        raise Malformed("Invalid JSON.")


def parse_credentials(raw: bytes) -> Credentials:
    """Parse the tokens in a body.

    Raises:
        Malformed: when it is not a JSON object.
        InvalidField: when a token is not a string.
    """
    return _decode(raw, Credentials)


def parse_request(raw: bytes, *, max_images: int, max_side: int, default_mode: str = "") -> Request:
    """Parse the body of getUrls.

    Args:
        raw: the body.
        max_images: the most items.
        max_side: the largest side, in pixels.
        default_mode: the mode of items without one; empty: each must have one.

    Raises:
        Malformed: when it is not a JSON object.
        InvalidField: when a field is not valid.
    """
    request = _decode(raw, Request, lambda parsed: _fill_in_mode(parsed, default_mode))
    if len(request.images) > max_images:
        raise _invalid("Images")
    for item in request.images:
        if (item.width or 1) > max_side:
            raise _invalid("Width")
        if (item.height or 1) > max_side:
            raise _invalid("Height")
    return request


def parse_image_id(text: str) -> UUID:
    """Parse the id of an image.

    Raises:
        InvalidField: when it is not a UUID.
    """
    found = parse_uuid(text)
    if found is None:
        raise _invalid("ImageId")
    return found


def encode_response(request: Request, urls: list[str | None]) -> RawResponse:
    """Encode the response of getUrls; `urls` has one URL or None for each item."""
    pairs = zip(request.images, urls, strict=True)
    body = msgspec.json.encode(Response([ImageUrl(item.image_id, url) for item, url in pairs]))
    return RawResponse(200, body, "application/json")


def render_error(error: Error, context: Context) -> RawResponse:
    """Encode an error as the vendor does. Only POST exists, so a wrong method is reported as not found."""
    kind = Kind.NOT_FOUND if error.kind is Kind.METHOD_NOT_ALLOWED else error.kind
    body = msgspec.json.encode(Failure(_message(error, kind), context.request_id))
    return RawResponse(STATUS[kind].value, body, "application/json", standard_headers(error))


def _message(error: Error, kind: Kind) -> str:
    fixed = {
        Kind.NO_TOKEN: _SESSION,
        Kind.UNKNOWN_TOKEN: _SESSION,
        Kind.EXPIRED_TOKEN: _SESSION,
        Kind.MALFORMED: "Invalid JSON.",
        Kind.UNSUPPORTED_TYPE: "Invalid JSON.",
        Kind.TOO_MANY_REQUESTS: "Too many requests.",
        Kind.NOT_FOUND: "Not found.",
    }
    return fixed.get(kind, error.message)


def _decode(raw: bytes, into: type[T], complete: Callable[[Any], object] = lambda _: None) -> T:
    try:
        return decode_json(raw, into, complete)
    except msgspec.ValidationError as wrong:
        raise _validation_error(str(wrong)) from wrong


def _fill_in_mode(parsed: Any, mode: str) -> None:  # noqa: ANN401  any JSON value
    """Give the items of a body the default mode if they have none, or null."""
    items = parsed.get("Images") if mode and isinstance(parsed, dict) else None
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and item.get("ResizeMode") is None:
            item["ResizeMode"] = mode


def _validation_error(message: str) -> Error:
    """The error for a msgspec message, which contains the missing field or the path to the invalid one."""
    # Matched at the start only: the rest of the message may quote the client.
    missing = _MISSING_FIELD.match(message)
    if missing:
        return _invalid(missing[1])
    path = _FIELD_PATH.search(message)
    if path is None or not path[1]:
        return Malformed("Invalid JSON.")
    return _invalid(re.findall(r"[A-Za-z]\w*", path[1])[-1])


def _invalid(field: str) -> Error:
    return InvalidField(field, f"Invalid {field}.")
