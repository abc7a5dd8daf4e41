"""The publisher wire format: one definition said as JSON or XML, `ref` and `summary` for errors."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape  # it only writes: nothing from outside is parsed here

import msgspec
from msgspec import Struct

from tintype import model
from tintype.model import Error, Kind, Status
from tintype.model.list_query import ListQuery, SortKey
from tintype.web.context import Context
from tintype.web.dialect_routes import RawResponse
from tintype.web.errors import STATUS, standard_headers
from tintype.web.negotiate import preferred

T = TypeVar("T")

MAX_NUMBER = 2**63 - 1
"""What every greater number in a query is taken for: past the end of any list, and no overflow to clients."""

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
_UNITS = ("B", "KB", "MB", "GB")

_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
# Whatever is outside the production Char of XML 1.0 (2.2) can't be written, not even as a reference.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Shape(StrEnum):
    """What an answer can be written as; the first is the default."""

    JSON = "application/json"
    XML = "application/xml"


class Request(Struct, frozen=True):
    """A query, understood: which images, and the number of the page from 0."""

    selection: ListQuery
    page: int


class Person(Struct, frozen=True):
    """Who uploaded or edited."""

    id: int
    name: str


class Image(Struct, frozen=True):
    """One image, its fields in the vendor's order."""

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
    """A page of the list. Both totals count what matches on all pages."""

    total: int
    totalcount: int
    currentpage: int
    image: Sequence[Image]


class Failure(Struct, frozen=True):
    """The body of every error."""

    ref: int
    summary: str


_ROOTS: dict[type[Struct], str] = {Images: "images", Failure: "error"}


def parse_authorization(header: str) -> str:
    """The token in an Authorization header: alone, or behind `Bearer` in any case."""
    scheme, *rest = header.split(maxsplit=1)[:2] or [""]
    return rest[0].rstrip() if rest and scheme.lower() == "bearer" else header.strip()


def negotiate(context: Context) -> Shape:
    """The shape that the client likes best.

    Raises:
        Error: NOT_ACCEPTABLE when it accepts neither.
    """
    shape = preferred(context.headers.get("accept", ""), list(Shape))
    if shape is None:
        raise Error(Kind.NOT_ACCEPTABLE, f"Answers are {' or '.join(Shape)}.")
    return Shape(shape)


def parse_request(query: str, *, default_limit: int, max_limit: int, max_extensions: int) -> Request:
    """A query string as it came, each byte a character.

    Of a repeated parameter the first value that is not empty counts (ours).

    Raises:
        Error: INVALID with the parameter at fault.
    """
    given = _parameters(query)
    key, descending = _parsed(given, "sort", _sort, (SortKey.MODIFIED_AT, True))
    limit = _parsed(given, "limit", _number, min(default_limit, max_limit))
    if not 1 <= limit <= max_limit:
        raise _invalid("limit")
    page = _parsed(given, "offset", _number, 0)
    extensions = tuple(dict.fromkeys(_items(given.get("extension", "").lower())))
    if len(extensions) > max_extensions:
        raise _invalid("extension")
    selection = ListQuery(
        extensions=extensions,
        statuses=_parsed(given, "status", _statuses, ()),
        search=given.get("search", ""),
        sort=key,
        descending=descending,
        limit=limit,
        skip=page * limit,
    )
    return Request(selection, page)


def listed(image: model.Image, attachment: int, *, url: str, thumbnail_url: str) -> Image:
    """An image as the list shows it."""
    return Image(
        id=image.number,
        name=image.name,
        createdby=Person(image.created_by.id, image.created_by.name),
        createddate=date(image.created_at),
        modifiedby=Person(image.modified_by.id, image.modified_by.name),
        modifieddate=date(image.modified_at),
        status=image.status.name.lower(),
        attachmentid=attachment,
        filesize=file_size(image.bytes),
        thumbnailurl=thumbnail_url,
        url=url,
        extension=image.extension,
        height=image.height,
        width=image.width,
    )


def encode_response(request: Request, total: int, images: Sequence[Image], shape: Shape) -> RawResponse:
    """A success."""
    return _written(200, Images(total, total, request.page, images), shape, {})


def render_error(error: Error, context: Context) -> RawResponse:
    """An error in this dialect: in the shape that the client likes best, in JSON when it likes neither."""
    shape = Shape(preferred(context.headers.get("accept", ""), list(Shape)) or Shape.JSON)
    status = STATUS[error.kind]
    headers = standard_headers(error)
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    failure = Failure(_ref(error, status), error.message or status.phrase)
    return _written(status.value, failure, shape, headers)


def date(moment: datetime) -> str:
    """`27 Feb 2019 11:19`: minutes begun, in UTC (ours), English whatever the locale."""
    at = moment.astimezone(UTC)
    return f"{at.day:02} {_MONTHS[at.month - 1]} {at.year:04} {at.hour:02}:{at.minute:02}"


def file_size(size: int) -> str:
    """`118.57 KB`: bytes in the largest unit of 1024 that is reached, gigabytes at most.

    Two decimals, rounded half up (ours). What would round to 1024.00 is 1.00 of the next unit.
    """
    for power, unit in enumerate(_UNITS):
        hundredths = (2 * size * 100 + 1024**power) // (2 * 1024**power)
        if hundredths < 1024 * 100 or unit == _UNITS[-1]:
            break
    return f"{hundredths // 100}.{hundredths % 100:02} {unit}"


def xml(value: Struct) -> bytes:
    """A struct as a document: an element a field in the order of the definition, a list as so many elements.

    Characters that XML 1.0 can't hold become U+FFFD; a carriage return is written as a reference, since a
    parser would read a plain one as a line feed.
    """
    return (_DECLARATION + _element(_ROOTS[type(value)], value)).encode()


def _parameters(query: str) -> dict[str, str]:
    text = query.encode("latin-1").decode("utf-8", "replace")
    found: dict[str, str] = {}
    for name, value in parse_qsl(text, errors="replace"):
        found.setdefault(name, value)
    return found


def _parsed(given: Mapping[str, str], name: str, parse: Callable[[str], T | None], default: T) -> T:
    if name not in given:
        return default
    value = parse(given[name])
    if value is None:
        raise _invalid(name)
    return value


def _sort(text: str) -> tuple[SortKey, bool] | None:
    """Key and whether descending. A raw `+` of a query is a space by now."""
    found = _SORT.match(text)
    key = _SORT_KEYS.get(found[2]) if found else None
    return None if found is None or key is None else (key, found[1] == "-")


def _number(text: str) -> int | None:
    # Twenty digits say whether a number is greater than MAX_NUMBER; Python refuses to read 5000.
    return min(int(text.lstrip("0")[:20] or "0"), MAX_NUMBER) if _DIGITS.match(text) else None


def _statuses(text: str) -> tuple[Status, ...] | None:
    found = [_STATUSES.get(item) for item in _items(text)]
    known = tuple(dict.fromkeys(status for status in found if status is not None))
    return None if None in found else known


def _items(text: str) -> list[str]:
    """The values of a CSV; empty ones count as absent."""
    return [item.strip() for item in text.split(",") if item.strip()]


def _invalid(field: str) -> Error:
    return Error(Kind.INVALID, f"Invalid parameter: {field}", field=field)


def _ref(error: Error, status: HTTPStatus) -> int:
    """The vendor's number where it has one or a rule of ours gives one, else the HTTP status."""
    if error.kind is Kind.INVALID and error.field in _PARAMETER_REFS:
        return _PARAMETER_REFS[error.field]
    return _STATUS_REFS.get(status, status.value)


def _written(status: int, value: Struct, shape: Shape, headers: dict[str, str]) -> RawResponse:
    headers |= {"Vary": "Accept"}
    if shape is Shape.XML:
        return RawResponse(status, xml(value), f"{shape}; charset=UTF-8", headers)
    return RawResponse(status, msgspec.json.encode(value), shape.value, headers)


def _element(name: str, value: object) -> str:
    if isinstance(value, list | tuple):
        return "".join(_element(name, item) for item in value)
    return f"<{name}>{_content(value)}</{name}>"


def _content(value: object) -> str:
    if isinstance(value, Struct):
        return "".join(_element(field, getattr(value, field)) for field in value.__struct_fields__)
    return escape(_NO_XML.sub("\N{REPLACEMENT CHARACTER}", str(value)), {"\r": "&#13;"})
