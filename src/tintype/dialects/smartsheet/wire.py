"""The smartsheet wire format: camelCase JSON; errors have a number and a reference."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from tintype.dialects.smartsheet.errors import (
    AltTextTooLong,
    AttributeMissing,
    BodyMissing,
    Failure,
    InvalidContentType,
    InvalidHeader,
    SizeMismatch,
    TooManyItems,
    UploadTooLarge,
    failure,
)
from tintype.imaging import Format, ImageInfo, Reason, spec
from tintype.model import (
    Error,
    Image,
    IncompleteBody,
    InvalidField,
    InvalidImage,
    Kind,
    Malformed,
    NotAcceptable,
    NotFound,
    Placement,
    TooLarge,
    UnsupportedType,
)
from tintype.model.ids import parse_short, short
from tintype.web.bodies import filename
from tintype.web.context import Context
from tintype.web.dialect_routes import RawResponse
from tintype.web.errors import STATUS, standard_headers
from tintype.web.json_body import decode_any
from tintype.web.negotiate import preferred
from tintype.web.query import parse_query

Headers = Mapping[str, str]

JSON = "application/json"
SOURCE_HEADER = "smartsheet-integration-source"
SOURCE_TYPES = frozenset({"AI", "SCRIPT", "APPLICATION"})
MAX_EXCERPT = 100
"""The most characters of a client's value that are copied into an error or the log."""
MAX_ITEM_SIDE = 2**31 - 1
MAX_ID = 2**63 - 1

_LOGGED_HEADERS = {
    "integration_source": SOURCE_HEADER,
    "assume_user": "assume-user",
    "change_agent": "smartsheet-change-agent",
}

_STATUS = STATUS | {
    Kind.CONFLICT: HTTPStatus.BAD_REQUEST,
    Kind.TOO_LARGE: HTTPStatus.BAD_REQUEST,
    Kind.INSUFFICIENT_STORAGE: HTTPStatus.SERVICE_UNAVAILABLE,
}

_ID = re.compile(r"[0-9]{1,19}\Z")
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


class CellImage(Struct, frozen=True, rename="camel"):
    """The image of a cell; its sides are in pixels, after EXIF rotation."""

    id: str
    height: int
    width: int
    alt_text: str


class Cell(Struct, frozen=True, rename="camel", omit_defaults=True):
    """One cell of a row."""

    column_id: int
    value: str
    display_value: str
    formula: str
    image: CellImage | None = None


class Row(Struct, frozen=True, rename="camel"):
    """The part of a row that this service knows: the cells that have an image."""

    id: int
    row_number: int
    expanded: bool
    created_at: str
    modified_at: str
    cells: list[Cell]


class Result(Struct, frozen=True, rename="camel"):
    """The response to a change."""

    message: str
    result_code: int
    result: Row
    version: int


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


class Upload(Struct, frozen=True):
    """The metadata of an upload."""

    filename: str
    alt_text: str


def require_headers(headers: Headers) -> None:
    """Check the headers Accept and Smartsheet-Integration-Source.

    Raises:
        NotAcceptable: when JSON is not accepted.
        InvalidHeader: when the integration source is not valid.
    """
    if preferred(headers.get("accept", ""), (JSON,)) is None:
        raise NotAcceptable("The responses are JSON.")
    kind, *names = (part.strip() for part in headers.get(SOURCE_HEADER, "AI,-,-").split(","))
    if kind not in SOURCE_TYPES or len(names) != 2 or not all(names):  # noqa: PLR2004  organisation and source
        raise InvalidHeader(SOURCE_HEADER)


def log_fields(headers: Headers) -> dict[str, object]:
    """The values of headers that are only logged."""
    return {field: headers[name][:MAX_EXCERPT] for field, name in _LOGGED_HEADERS.items() if name in headers}


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


def parse_placement(sheet: str, row: str, column: str | None = None) -> Placement:
    """The placement of a cell, or of all cells of a row when `column` is None.

    Raises:
        NotFound: when an id is not an integer of at most 63 bits.
    """
    slot = "" if column is None else _id(column)
    return Placement("cell", _id(sheet), _id(row), slot)


def parse_upload(headers: Headers, query: str, *, max_alt_text: int) -> Upload:
    """Parse the metadata of an upload. `overrideValidation` has no effect, but must be a boolean.

    Raises:
        InvalidHeader: when there is no file name.
        AltTextTooLong, InvalidField: when a parameter is not valid.
    """
    name = filename(headers.get("content-disposition", ""))
    if not name:
        raise InvalidHeader("Content-Disposition")
    parameters = parse_query(query, _too_many_parameters)
    alt_text = parameters.get("altText", "")
    if len(alt_text) > max_alt_text:
        raise AltTextTooLong(str(max_alt_text))
    override = parameters.get("overrideValidation", "false")
    # The vendor's Python client sends True and False.
    if override.lower() not in {"true", "false"}:
        raise _invalid_value(override, "overrideValidation")
    return Upload(name, alt_text)


def require_length(headers: Headers, size: int) -> None:
    """Check that Content-Length is the number of bytes received.

    Raises:
        BodyMissing, SizeMismatch: when it is missing or different.
    """
    content_length = headers.get("content-length", "")
    if size == 0 and content_length in {"", "0"}:
        raise BodyMissing
    if content_length != str(size):
        raise SizeMismatch


def require_accepted_format(info: ImageInfo) -> ImageInfo:
    """The info of a picture whose format needs no optional package: extras do not change this API.

    Raises:
        InvalidImage: when it needs one.
    """
    for broken in format_violations(info.format):
        raise InvalidImage(Reason.UNSUPPORTED, broken)
    return info


def format_violations(format: Format) -> Iterator[str]:
    """A sentence if pictures of this format can't be put into a cell."""
    entry = spec(format)
    if entry.package is not None:
        yield f"{entry.name} pictures aren't accepted."


@contextmanager
def upload_errors() -> Iterator[None]:
    """Give errors of the upload body the vendor's more specific codes."""
    try:
        yield
    except TooLarge as error:
        raise UploadTooLarge(error.message) from error
    except IncompleteBody as error:
        raise SizeMismatch from error


def parse_exclude(query: str) -> frozenset[str]:
    """The values of `exclude`, the parts that the response leaves out; unknown values are ignored."""
    return frozenset(
        word.strip() for word in parse_query(query, _too_many_parameters).get("exclude", "").split(",")
    )


def encode_response(urls: list[ImageUrl], expires_in: int) -> RawResponse:
    """Encode the response of imageurls; `expires_in` is in milliseconds."""
    return RawResponse(200, msgspec.json.encode(ImageUrls(expires_in, urls)), JSON)


def encode_row(at: Placement, cells: Sequence[tuple[Placement, Image]], exclude: frozenset[str]) -> bytes:
    """Encode a row.

    Raises:
        NotFound: when no cell of it has an image: only such rows are known here.
    """
    if not cells:
        raise NotFound("There is nothing at this path.")
    return msgspec.json.encode(_row(at, cells, with_images="image" not in exclude))


def encode_added(at: Placement, image: Image, cells: Sequence[tuple[Placement, Image]]) -> bytes:
    """Encode the row, with all its cells that have an image, after an image was put into one of them.

    The changed cell is first, because clients read `cells[0]`. The version is the image's number, which grows
    with every change as a sheet's version does.
    """
    others = [(place, other) for place, other in cells if place.slot != at.slot]
    row = _row(at, [(at, image), *others], with_images=True)
    return msgspec.json.encode(Result("SUCCESS", 0, row, image.number))


def render_error(error: Error, context: Context) -> RawResponse:
    """Encode an error as the vendor does; its reference is the id of the request."""
    headers = standard_headers(error)
    status = _STATUS[error.kind]
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    body = msgspec.json.encode(failure(error, context.request_id))
    return RawResponse(status.value, body, JSON, headers)


def _require_json(content_type: str) -> None:
    if not content_type.strip():
        raise InvalidHeader("Content-Type")
    match = _MEDIA_TYPE.match(content_type)
    if match is None:
        raise InvalidContentType(_excerpt(content_type))
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
        raise _invalid_value(image_id, "imageId")
    return parse_short(image_id)


def _side(item: dict[str, Any], name: str) -> int | None:
    value = item.get(name)
    if value is None:
        return None
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole or value < 1:
        raise _invalid_value(value, name)
    return int(value)


def _id(text: str) -> str:
    if not _ID.match(text) or int(text) > MAX_ID:
        raise NotFound("There is nothing at this path.")
    return str(int(text))


def _too_many_parameters(most: int) -> Error:
    return Malformed(f"there are more than {most} parameters.")


def _row(at: Placement, cells: Sequence[tuple[Placement, Image]], *, with_images: bool) -> Row:
    images = [image for _, image in cells]
    return Row(
        id=int(at.holder),
        # The order of rows is not known here, so every row has the number 1.
        row_number=1,
        expanded=True,
        created_at=_format_time(min(image.created_at for image in images)),
        modified_at=_format_time(max(image.modified_at for image in images)),
        cells=[_cell(each, image, with_image=with_images) for each, image in cells],
    )


def _cell(at: Placement, image: Image, *, with_image: bool) -> Cell:
    name = image.filename
    shown = CellImage(short(image.id), image.height, image.width, at.alt_text or name) if with_image else None
    return Cell(int(at.slot), name, name, _formula(image), shown)


def _formula(image: Image) -> str:
    """The formula of a cell with an image; a quote within a string is doubled, as in any spreadsheet."""
    name = '"' + image.filename.replace('"', '""') + '"'
    return f'=SYS_CELLIMAGE({name},"{short(image.id)}",{image.height},{image.width},{name})'


def _format_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _invalid_value(value: object, name: str) -> Error:
    return InvalidField(name, f"The value {_excerpt(value)} was not valid for the attribute {name}.")


def _excerpt(value: object) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text[:MAX_EXCERPT]
