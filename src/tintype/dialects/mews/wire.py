"""The mews wire format: PascalCase JSON, tokens in the body, `{"Message": …}` for errors."""

import re
from enum import StrEnum
from typing import Annotated, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from tintype.model import Error, Kind
from tintype.model.ids import parse_uuid
from tintype.web.context import Context
from tintype.web.dialect_routes import RawResponse
from tintype.web.errors import STATUS, standard_headers

T = TypeVar("T")

_MISSING_FIELD = re.compile(r"Object missing required field `(\w+)`")
_FIELD_PATH = re.compile(r"at `\$(?:\[\.\.\.\])?\.?([\w.\[\]]*)`$")

_SESSION = "Cannot perform operation or session has expired."


class ResizeMode(StrEnum):
    """The modes that a request can name, spelled as in links."""

    COVER = "Cover"
    COVER_EXACT = "CoverExact"
    FIT = "Fit"
    FIT_EXACT = "FitExact"


class Credentials(Struct, frozen=True, rename="pascal"):
    """The tokens of a body, read before anything else of it."""

    client_token: str | None = None
    access_token: str | None = None


class ImageSize(Struct, frozen=True, rename="pascal"):
    """One image and the size it is wanted in."""

    image_id: str
    resize_mode: ResizeMode
    width: Annotated[int, Meta(ge=1)] | None = None
    height: Annotated[int, Meta(ge=1)] | None = None


class Request(Struct, frozen=True, rename="pascal"):
    """The body of getUrls. Fields that are not here are overlooked."""

    client: Annotated[str, Meta(min_length=1)]
    images: Annotated[list[ImageSize], Meta(min_length=1)]
    language_code: str | None = None
    culture_code: str | None = None
    masked_access_token: str | None = None
    masked_client_token: str | None = None


class ImageUrl(Struct, frozen=True, rename="pascal"):
    """One answer; no URL for an image that is not there, or not for this caller."""

    image_id: str
    url: str | None


class Response(Struct, frozen=True, rename="pascal"):
    """The answer to getUrls, in the order of the request."""

    image_urls: list[ImageUrl]


class Failure(Struct, frozen=True, rename="pascal"):
    """The body of every error."""

    message: str
    request_id: str


def require_json(content_type: str | None) -> None:
    """Raise MALFORMED for a body that says it is something else than JSON; one that says nothing passes."""
    if content_type is not None and content_type.partition(";")[0].strip().lower() != "application/json":
        raise Error(Kind.MALFORMED, "Invalid JSON.")


def parse_credentials(raw: bytes) -> Credentials:
    """The tokens in a body.

    Raises:
        Error: MALFORMED when it is no JSON object, INVALID when a token is no text.
    """
    return _decode(raw, Credentials)


def parse_request(raw: bytes, *, max_images: int, max_side: int) -> Request:
    """The body of getUrls.

    Raises:
        Error: MALFORMED when it is no JSON object, INVALID with the field at fault.
    """
    request = _decode(raw, Request)
    if len(request.images) > max_images:
        raise _invalid("Images")
    for item in request.images:
        if (item.width or 1) > max_side:
            raise _invalid("Width")
        if (item.height or 1) > max_side:
            raise _invalid("Height")
    return request


def image_id(text: str) -> UUID:
    """The id of an image.

    Raises:
        Error: INVALID when it is no UUID.
    """
    found = parse_uuid(text)
    if found is None:
        raise _invalid("ImageId")
    return found


def encode_response(request: Request, urls: list[str | None]) -> RawResponse:
    """The answer of a success."""
    pairs = zip(request.images, urls, strict=True)
    body = msgspec.json.encode(Response([ImageUrl(item.image_id, url) for item, url in pairs]))
    return RawResponse(200, body, "application/json")


def render_error(error: Error, context: Context) -> RawResponse:
    """An error in this dialect. Only POST of the one path exists here: another method is a wrong path."""
    kind = Kind.NOT_FOUND if error.kind is Kind.METHOD_NOT_ALLOWED else error.kind
    body = msgspec.json.encode(Failure(_message(error, kind), context.request_id))
    return RawResponse(STATUS[kind].value, body, "application/json", standard_headers(error))


def _message(error: Error, kind: Kind) -> str:
    if kind is Kind.INVALID and error.field and not error.message:
        return f"Invalid {error.field}."
    fixed = {
        Kind.NO_TOKEN: _SESSION,
        Kind.UNKNOWN_TOKEN: _SESSION,
        Kind.EXPIRED_TOKEN: _SESSION,
        Kind.MALFORMED: "Invalid JSON.",
        Kind.UNSUPPORTED_TYPE: "Invalid JSON.",
        Kind.TOO_MANY_REQUESTS: "Too many requests.",
        Kind.NOT_FOUND: "Not found.",
    }
    return fixed.get(kind, error.message or STATUS[kind].phrase)


def _decode(raw: bytes, into: type[T]) -> T:
    try:
        # Decoded here, because msgspec does not look into the texts that it passes over.
        return msgspec.json.decode(raw.decode(), type=into)
    except msgspec.ValidationError as wrong:
        raise _fault(str(wrong)) from wrong
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        raise Error(Kind.MALFORMED, "Invalid JSON.") from broken


def _fault(message: str) -> Error:
    """The error behind msgspec's sentence: it names the missing field, or the path to the wrong one."""
    # Only where the sentence begins: further on it may quote the client.
    missing = _MISSING_FIELD.match(message)
    if missing:
        return _invalid(missing[1])
    path = _FIELD_PATH.search(message)
    if path is None or not path[1]:
        return Error(Kind.MALFORMED, "Invalid JSON.")
    return _invalid(re.findall(r"[A-Za-z]\w*", path[1])[-1])


def _invalid(field: str) -> Error:
    return Error(Kind.INVALID, field=field)
