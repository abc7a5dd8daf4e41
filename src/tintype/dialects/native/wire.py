"""The native wire format: snake_case JSON, RFC 3339 times, problem details (RFC 9457) for errors."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
from msgspec import Struct

from tintype import model
from tintype.imaging import Reason, row
from tintype.model import Error, Kind, Status
from tintype.web.context import Context
from tintype.web.errors import STATUS, problem
from tintype.web.mount import Answer, Query

MAX_PARAMETERS = 50
"""Parameters of one query."""

_BEARER = re.compile(r"bearer +([!-~]+) *\Z", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9]{1,9}\Z")
_CURSOR = re.compile(r"[A-Za-z0-9_-]{10}[AEIMQUYcgkosw048]\Z")

_STATUSES = {status.name.lower(): status for status in Status}

_CHALLENGES = {
    Kind.NO_TOKEN: "Bearer",
    Kind.UNKNOWN_TOKEN: 'Bearer error="invalid_token"',
    Kind.EXPIRED_TOKEN: 'Bearer error="invalid_token"',
}
"""RFC 6750, 3: who sent no token is told no error."""


class Image(Struct, frozen=True):
    """One image. Sides are pixels as a person sees them, `bytes` and `sha256` are the original's."""

    id: UUID
    number: int
    name: str
    filename: str
    extension: str
    format: str
    media_type: str
    bytes: int
    sha256: str
    width: int
    height: int
    frames: int
    status: str
    version: int
    created_by: str
    created_at: datetime
    modified_at: datetime
    url: str


class Page(Struct, frozen=True):
    """Some images, newest first, and where to go on; nowhere if there are no more."""

    images: list[Image]
    next_cursor: str | None


class PageRequest(Struct, frozen=True):
    """The query of the list: at most `limit` images, from the one before number `before`."""

    limit: int
    before: int | None


def parse_authorization(header: str) -> str | None:
    """The bearer token (RFC 6750); None without one."""
    found = _BEARER.match(header)
    return found[1] if found else None


def parse_status(query: str) -> Status:
    """What an upload starts as: `?status=active` or `?status=archived`, without it active.

    Raises:
        Error: INVALID.
    """
    status = _STATUSES.get(_parameters(query).get("status", "active"))
    if status is None:
        raise _invalid("status", f"has to be {' or '.join(_STATUSES)}")
    return status


def parse_page(query: str, *, default_limit: int, max_limit: int) -> PageRequest:
    """The query of the list. Unknown parameters are overlooked.

    Raises:
        Error: INVALID with the parameter at fault.
    """
    asked = _parameters(query)
    limit = asked.get("limit", str(min(default_limit, max_limit)))
    if not _DIGITS.match(limit) or not 1 <= int(limit) <= max_limit:
        raise _invalid("limit", f"has to be a whole number from 1 to {max_limit}")
    return PageRequest(int(limit), _before(asked["cursor"]) if "cursor" in asked else None)


def answer(image: model.Image, url: str) -> bytes:
    """The body for one image."""
    return msgspec.json.encode(_image(image, url))


def answer_page(images: Sequence[tuple[model.Image, str]], *, more: bool) -> bytes:
    """The body for a list of images, each with its link."""
    cursor = write_cursor(images[-1][0].number) if more else None
    return msgspec.json.encode(Page([_image(image, url) for image, url in images], cursor))


def write_cursor(number: int) -> str:
    """Where a list goes on: behind the image of this number. 8 bytes as 11 base64url characters."""
    return urlsafe_b64encode(number.to_bytes(8)).rstrip(b"=").decode()


def say(error: Error, context: Context) -> Answer:
    """An error in this dialect."""
    said = problem(error, context, _status(error))
    if error.kind in _CHALLENGES:
        return msgspec.structs.replace(
            said, headers=said.headers | {"WWW-Authenticate": _CHALLENGES[error.kind]}
        )
    return said


def _status(error: Error) -> HTTPStatus:
    if error.kind is not Kind.REFUSED:
        return STATUS[error.kind]
    if error.field == Reason.UNSUPPORTED:
        return HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    return HTTPStatus.UNPROCESSABLE_ENTITY


def _image(image: model.Image, url: str) -> Image:
    return Image(
        id=image.id,
        number=image.number,
        name=image.name,
        filename=image.filename,
        extension=image.extension,
        format=image.format.value,
        media_type=row(image.format).media_type,
        bytes=image.bytes,
        sha256=image.sha256,
        width=image.width,
        height=image.height,
        frames=image.frames,
        status=image.status.name.lower(),
        version=image.version,
        created_by=image.created_by.name,
        created_at=image.created_at,
        modified_at=image.modified_at,
        url=url,
    )


def _before(cursor: str) -> int:
    number = int.from_bytes(urlsafe_b64decode(cursor + "=")) if _CURSOR.match(cursor) else 0
    if not 0 < number < 2**63:
        raise _invalid("cursor", "has to be the next_cursor of an answer")
    return number


def _parameters(query: str) -> Query:
    try:
        return dict(parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_PARAMETERS))
    except ValueError:
        raise Error(Kind.INVALID, f"A query has at most {MAX_PARAMETERS} parameters.") from None


def _invalid(field: str, rule: str) -> Error:
    return Error(Kind.INVALID, f"{field} {rule}.", field=field)
