"""The publisher wire format: one definition encoded as JSON or XML; errors have `ref` and `summary`."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from http import HTTPStatus
from typing import TypeVar
from xml.sax.saxutils import escape  # only writes: no XML is parsed here

import msgspec
from msgspec import Struct

from tintype import model
from tintype.model import Error, InvalidField, NotAcceptable, Status
from tintype.model.list_query import ListQuery, SortKey
from tintype.web.context import Context
from tintype.web.dialect_routes import RawResponse
from tintype.web.errors import STATUS, challenged_headers
from tintype.web.negotiate import preferred
from tintype.web.query import parse_filled

T = TypeVar("T")

MAX_NUMBER = 2**63 - 1
"""Larger numbers in a query are replaced by this one: past the end of any list, and no overflow."""

_DIGITS = re.compile(r"[0-9]+\Z")
_SORT = re.compile(r"([+ -]?)([a-z]+)\Z")
_SORT_KEYS = {
    "name": SortKey.NAME,
    "createdby": SortKey.CREATED_BY,
    "createddate": SortKey.CREATED_AT,
    "modifieddate": SortKey.MODIFIED_AT,
    "status": SortKey.STATUS,
    "extension": SortKey.EXTENSION,
}
_STATUSES = {
    "active": Status.ACTIVE,
    "archived": Status.ARCHIVED,
    "1": Status.ACTIVE,
    "2": Status.ARCHIVED,
}
_PARAMETER_REFS = {"sort": 79, "extension": 104, "status": 105, "offset": 106, "limit": 107}
_STATUS_REFS = {HTTPStatus.UNAUTHORIZED: 101, HTTPStatus.FORBIDDEN: 103}

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNITS = ("KB", "MB", "GB")

_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
# Characters outside the production Char of XML 1.0 (2.2) can't be written, not even as a reference.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class MediaType(StrEnum):
    """The media types of responses; the first is the default."""

    JSON = "application/json"
    XML = "application/xml"
    TEXT_XML = "text/xml"
    """The same as application/xml (RFC 7303, 9.2)."""


class Request(Struct, frozen=True):
    """The parsed query, and the number of the page, counted from 0."""

    list_query: ListQuery
    page: int


class Person(Struct, frozen=True):
    """The person who uploaded or edited an image."""

    id: int
    name: str


class Image(Struct, frozen=True):
    """One image; the fields are in the vendor's order."""

    id: int
    name: str
    createdby: Person
    createddate: str
    modifiedby: Person
    modifieddate: str
    status: str
    attachmentid: int
    filesize: str
    thumbnailurl: str
    url: str
    extension: str
    height: int
    width: int


class Images(Struct, frozen=True):
    """One page of the list. Both totals count the matching images of all pages."""

    total: int
    totalcount: int
    currentpage: int
    image: Sequence[Image]


class Failure(Struct, frozen=True):
    """The body of every error."""

    ref: int
    summary: str


_ROOT_ELEMENTS: dict[type[Struct], str] = {Images: "images", Failure: "error"}


def negotiate(context: Context) -> MediaType:
    """The media type that the client prefers.

    Raises:
        NotAcceptable: when it accepts neither.
    """
    media_type = preferred(context.headers.get("accept", ""), list(MediaType))
    if media_type is None:
        raise NotAcceptable(f"Answers are {' or '.join(MediaType)}.")
    return MediaType(media_type)


def parse_request(query: str, *, default_limit: int, max_limit: int, max_extensions: int) -> Request:
    """Parse a query string in which each byte is one character (Latin-1).

    If a parameter is repeated, its first value that is not empty is used (our choice).

    Raises:
        InvalidField: when a parameter is not valid.
    """
    parameters = parse_filled(query)
    key, descending = _parse_parameter(parameters, "sort", _parse_sort, (SortKey.MODIFIED_AT, True))
    limit = _parse_parameter(parameters, "limit", _parse_number, min(default_limit, max_limit))
    if not 1 <= limit <= max_limit:
        raise _invalid("limit")
    page = _parse_parameter(parameters, "offset", _parse_number, 0)
    extensions = tuple(dict.fromkeys(_split(parameters.get("extension", "").lower())))
    if len(extensions) > max_extensions:
        raise _invalid("extension")
    list_query = ListQuery(
        extensions=extensions,
        statuses=_parse_parameter(parameters, "status", _parse_statuses, ()),
        search=parameters.get("search", ""),
        sort=key,
        descending=descending,
        limit=limit,
        skip=page * limit,
    )
    return Request(list_query, page)


def list_item(image: model.Image, attachment: int, *, url: str, thumbnail_url: str) -> Image:
    """An image as an item of the list."""
    return Image(
        id=image.number,
        name=image.name,
        createdby=Person(image.created_by.id, image.created_by.name),
        createddate=format_date(image.created_at),
        modifiedby=Person(image.modified_by.id, image.modified_by.name),
        modifieddate=format_date(image.modified_at),
        status=image.status.name.lower(),
        attachmentid=attachment,
        filesize=format_file_size(image.bytes),
        thumbnailurl=thumbnail_url,
        url=url,
        extension=image.extension,
        height=image.height,
        width=image.width,
    )


def encode_response(
    request: Request, total: int, images: Sequence[Image], media_type: MediaType
) -> RawResponse:
    """Encode one page of the list; `total` counts the matching images of all pages."""
    return _encode(200, Images(total, total, request.page, images), media_type, {})


def render_error(error: Error, context: Context) -> RawResponse:
    """Encode an error in the media type that the client prefers, in JSON when it accepts neither."""
    media_type = MediaType(preferred(context.headers.get("accept", ""), list(MediaType)) or MediaType.JSON)
    status = STATUS[error.kind]
    failure = Failure(_ref(error, status), error.message)
    return _encode(status.value, failure, media_type, challenged_headers(error))


def format_date(moment: datetime) -> str:
    """A time such as `27 Feb 2019 11:19`: rounded down to minutes, in UTC (our choice), always in English."""
    at = moment.astimezone(UTC)
    return f"{at.day:02} {_MONTHS[at.month - 1]} {at.year:04} {at.hour:02}:{at.minute:02}"


def format_file_size(size: int) -> str:
    """A size such as `118.57 KB`, in the largest unit (a power of 1024) that is not above it, from KB to GB.

    The vendor's page has no unit but KB. Two decimals, rounded half up (our choice). A size that rounds to
    1024.00 is 1.00 of the next unit.
    """
    for power, unit in enumerate(_UNITS, start=1):
        hundredths = (2 * size * 100 + 1024**power) // (2 * 1024**power)
        if hundredths < 1024 * 100 or unit == _UNITS[-1]:
            break
    return f"{hundredths // 100}.{hundredths % 100:02} {unit}"


def to_xml(value: Struct) -> bytes:
    """Encode a struct as an XML document: one element per field, in order; for a list one element per item.

    Characters that XML 1.0 does not allow become U+FFFD. A carriage return is written as a reference, because
    a parser would read a plain one as a line feed.
    """
    return (_DECLARATION + _element(_ROOT_ELEMENTS[type(value)], value)).encode()


def _parse_parameter(
    parameters: Mapping[str, str], name: str, parse: Callable[[str], T | None], default: T
) -> T:
    if name not in parameters:
        return default
    value = parse(parameters[name])
    if value is None:
        raise _invalid(name)
    return value


def _parse_sort(text: str) -> tuple[SortKey, bool] | None:
    """The sort key and whether the order is descending. A `+` in a query has become a space."""
    found = _SORT.match(text)
    key = _SORT_KEYS.get(found[2]) if found else None
    return None if found is None or key is None else (key, found[1] == "-")


def _parse_number(text: str) -> int | None:
    # 20 digits are enough to compare with MAX_NUMBER; Python refuses to parse more than 4,300.
    return min(int(text.lstrip("0")[:20] or "0"), MAX_NUMBER) if _DIGITS.match(text) else None


def _parse_statuses(text: str) -> tuple[Status, ...] | None:
    found = [_STATUSES.get(item.lower()) for item in _split(text)]
    known = tuple(dict.fromkeys(status for status in found if status is not None))
    return None if None in found else known


def _split(text: str) -> list[str]:
    """The values of a comma-separated list, without empty ones."""
    return [item.strip() for item in text.split(",") if item.strip()]


def _invalid(field: str) -> Error:
    return InvalidField(field, f"Invalid parameter: {field}")


def _ref(error: Error, status: HTTPStatus) -> int:
    """The vendor's error number if there is one, else the HTTP status."""
    if isinstance(error, InvalidField) and error.field in _PARAMETER_REFS:
        return _PARAMETER_REFS[error.field]
    return _STATUS_REFS.get(status, status.value)


def _encode(status: int, value: Struct, media_type: MediaType, headers: dict[str, str]) -> RawResponse:
    headers |= {"Vary": "Accept"}
    if media_type is not MediaType.JSON:
        return RawResponse(status, to_xml(value), f"{media_type}; charset=UTF-8", headers)
    return RawResponse(status, msgspec.json.encode(value), media_type.value, headers)


def _element(name: str, value: object) -> str:
    if isinstance(value, list | tuple):
        return "".join(_element(name, item) for item in value)
    return f"<{name}>{_content(value)}</{name}>"


def _content(value: object) -> str:
    if isinstance(value, Struct):
        return "".join(_element(field, getattr(value, field)) for field in value.__struct_fields__)
    return escape(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", str(value)), {"\r": "&#13;"})
