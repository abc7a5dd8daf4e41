"""The native wire format: snake_case JSON, RFC 3339 times, problem details (RFC 9457) for errors."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from tintype import model
from tintype.core.upkeep import purge
from tintype.imaging import Crop, Focal, Format, Mode, Reason, Recipe, parse_colour, spec
from tintype.imaging.recipe.params import AUTO
from tintype.model import Error, Invalid, InvalidField, InvalidImage, Kind, Status, no_such_image
from tintype.model.ids import parse_short, parse_uuid, short
from tintype.web.authorization import bearer_token
from tintype.web.context import Context
from tintype.web.dialect_routes import RawResponse
from tintype.web.errors import STATUS, problem_details
from tintype.web.json_body import decode_any, decode_json
from tintype.web.query import parse_query

READ = "images:read"
WRITE = "images:write"
"""The scopes of tokens."""
MAX_SIDE = 65_535
"""The largest side that a link can have; the settings of [images] limit what is rendered."""
MAX_RENDITION_BYTES = 999_999_999
"""The largest `max_bytes`."""
MAX_LIFE_SECONDS = 10 * 366 * 86_400
"""The longest lifetime of a link that expires."""

_DIGITS = re.compile(r"[0-9]{1,9}\Z")
_CURSOR = re.compile(r"[A-Za-z0-9_-]{10}[AEIMQUYcgkosw048]\Z")

_STATUSES = {status.name.lower(): status for status in Status}

_INVALID_TOKEN = frozenset({Kind.UNKNOWN_TOKEN, Kind.EXPIRED_TOKEN})
"""The errors whose challenge has an error code (RFC 6750, 3.1); a request without a token gets none."""


class Image(Struct, frozen=True):
    """One image. Sides are in pixels after EXIF rotation; `bytes` and `sha256` are the original's.

    `short_id` is the id as 22 base64url characters, as links and smartsheet have it. `url` is null for an
    archived image: no link opens it.

    `thumbhash` is base64. It and `colour` are null for images without a placeholder (`tintype placeholders`
    makes the missing ones); `colour` also for a picture of transparent pixels only.
    """

    id: UUID
    short_id: str
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
    thumbhash: str | None
    colour: str | None
    url: str | None


class Page(Struct, frozen=True):
    """One page of images, newest first, and the cursor of the next page; null on the last page."""

    images: list[Image]
    next_cursor: str | None


class LinkRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One requested link: an image, the fields of a recipe, and the lifetime of the link in seconds."""

    image: UUID
    mode: Mode = Mode.FIT
    width: Annotated[int, Meta(ge=1, le=MAX_SIDE)] | None = None
    height: Annotated[int, Meta(ge=1, le=MAX_SIDE)] | None = None
    dpr: float = 1.0
    enlarge: bool = True
    focal: Focal | None = None
    crop: Crop = Crop.CENTRE
    background: str | None = None
    format: str | None = None
    quality: int | None = None
    lossless: bool = False
    max_bytes: Annotated[int, Meta(ge=1, le=MAX_RENDITION_BYTES)] | None = None
    frames: Annotated[int, Meta(ge=1, le=MAX_SIDE)] | None = None
    linear: bool = False
    expires_in: Annotated[int, Meta(ge=1, le=MAX_LIFE_SECONDS)] | None = None

    def recipe(self) -> Recipe | None:
        """The recipe in its canonical form; None for the original, when no field is set.

        Raises:
            ValueError: when a value is invalid, or two values exclude each other.
        """
        auto = self.format == AUTO
        recipe = Recipe(
            mode=self.mode,
            width=self.width,
            height=self.height,
            dpr=self.dpr,
            enlarge=self.enlarge,
            focal=self.focal,
            crop=self.crop,
            background=None if self.background is None else parse_colour(self.background),
            format=None if auto or self.format is None else _format(self.format),
            auto=auto,
            quality=self.quality,
            lossless=self.lossless,
            max_bytes=self.max_bytes,
            frames=self.frames,
            linear=self.linear,
        ).normal()
        return None if recipe == Recipe().normal() else recipe


class Receipt(Struct, frozen=True):
    """The renditions that a purge deleted; `version` is the current version of the image."""

    image: UUID
    version: int
    count: int
    bytes: int
    renditions: tuple[purge.Removed, ...]


class LinksRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a request for links."""

    links: Annotated[list[LinkRequest], Meta(min_length=1)]


class SignedLink(Struct, frozen=True, omit_defaults=True):
    """One link.

    `url` is null when the account has no such image, it is archived, or the picture can't be made; `detail`
    says why it can't. `expires_at` is null when the link never expires.
    """

    image: UUID
    url: str | None
    expires_at: datetime | None
    detail: str | None = None


class SignedLinks(Struct, frozen=True):
    """Links in the order of the request."""

    links: list[SignedLink]


class ListQuery(Struct, frozen=True):
    """The query of the list: at most `limit` images with numbers below `before`; None: from the newest."""

    limit: int
    before: int | None


def parse_authorization(header: str) -> str | None:
    """The bearer token; None if there is none, or one of characters that no token has (RFC 6750, 2.1)."""
    token = bearer_token(header)
    return token if token and token.isascii() and token.isprintable() else None


def parse_image_id(text: str) -> UUID:
    """The id of an image, as a UUID or as its 22 characters.

    Raises:
        NotFound: when it is neither.
    """
    found = parse_uuid(text) or parse_short(text)
    if found is None:
        raise no_such_image()
    return found


def parse_status(query: str) -> Status:
    """The status of a new image: `?status=active` (the default) or `?status=archived`.

    Raises:
        InvalidField: when it is neither.
    """
    status = _STATUSES.get(parse_query(query, too_many_parameters).get("status", "active"))
    if status is None:
        raise _invalid_status()
    return status


def parse_change(body: bytes) -> Status:
    """The new status of an image: the body is `{"status": "active"}` or `{"status": "archived"}`.

    Raises:
        Malformed: when the body is not JSON.
        InvalidField: when a field is not valid.
    """
    change = decode_any(body)
    name = change.get("status") if isinstance(change, dict) else None
    status = _STATUSES.get(name) if isinstance(name, str) else None
    if status is None:
        raise _invalid_status()
    if len(change) > 1:
        field = next(each for each in change if each != "status")
        raise _invalid(field, "can't be changed")
    return status


def parse_list_query(query: str, *, default_limit: int, max_limit: int) -> ListQuery:
    """Parse the query of the list. Unknown parameters are ignored.

    Raises:
        InvalidField: when a parameter is not valid.
    """
    parameters = parse_query(query, too_many_parameters)
    limit = parameters.get("limit", str(min(default_limit, max_limit)))
    if not _DIGITS.match(limit) or not 1 <= int(limit) <= max_limit:
        raise _invalid("limit", f"has to be a whole number from 1 to {max_limit}")
    return ListQuery(int(limit), _parse_cursor(parameters["cursor"]) if "cursor" in parameters else None)


def parse_links(raw: bytes, *, max_links: int) -> list[tuple[LinkRequest, Recipe | None]]:
    """Parse a request for links; each comes with its recipe, None for the original.

    Raises:
        Malformed: when the body is not JSON.
        InvalidField: when a field is not valid, by its path.
    """
    try:
        requests = decode_json(raw, LinksRequest).links
    except msgspec.ValidationError as wrong:
        sentence, _, path = str(wrong).partition(" - at `$.")
        raise _invalid_body(f"{sentence}.", path.rstrip("`")) from wrong
    if len(requests) > max_links:
        raise _invalid("links", f"may hold at most {max_links} of them")
    return [(each, _recipe(each, position)) for position, each in enumerate(requests)]


def encode_links(links: list[SignedLink]) -> bytes:
    """Encode a list of links."""
    return msgspec.json.encode(SignedLinks(links))


def encode_response(image: model.Image, url: str | None) -> bytes:
    """Encode one image and its link; None: it has none."""
    return msgspec.json.encode(_image(image, url))


def encode_page(images: Sequence[tuple[model.Image, str | None]], *, more: bool) -> bytes:
    """Encode one page of images with their links; `more`: whether there is a next page."""
    cursor = format_cursor(images[-1][0].number) if more else None
    return msgspec.json.encode(Page([_image(image, url) for image, url in images], cursor))


def format_cursor(number: int) -> str:
    """The cursor of the page after the image with this number: 8 bytes as 11 base64url characters."""
    return urlsafe_b64encode(number.to_bytes(8)).rstrip(b"=").decode()


def encode_receipt(receipt: purge.Receipt) -> bytes:
    """Encode the result of a purge."""
    body = Receipt(
        image=receipt.image.id,
        version=receipt.image.version,
        count=len(receipt.removed),
        bytes=receipt.bytes(),
        renditions=receipt.removed,
    )
    return msgspec.json.encode(body)


def render_error(error: Error, context: Context) -> RawResponse:
    """Encode an error as problem details; the challenge (WWW-Authenticate) says if the token is at fault."""
    response = problem_details(error, context, _status(error))
    if error.kind not in _INVALID_TOKEN:
        return response
    headers = response.headers | {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    return msgspec.structs.replace(response, headers=headers)


def _status(error: Error) -> HTTPStatus:
    if not isinstance(error, InvalidImage):
        return STATUS[error.kind]
    if error.reason is Reason.UNSUPPORTED:
        return HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    return HTTPStatus.UNPROCESSABLE_ENTITY


def _image(image: model.Image, url: str | None) -> Image:
    return Image(
        id=image.id,
        short_id=short(image.id),
        number=image.number,
        name=image.name,
        filename=image.filename,
        extension=image.extension,
        format=image.format.value,
        media_type=spec(image.format).media_type,
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
        thumbhash=image.thumbhash,
        colour=image.colour,
        url=url,
    )


def _recipe(request: LinkRequest, position: int) -> Recipe | None:
    try:
        return request.recipe()
    except ValueError as wrong:
        raise InvalidField(f"links[{position}]", str(wrong)) from wrong


def _format(name: str) -> Format:
    try:
        return Format(name)
    except ValueError:
        known = ", ".join(each.value for each in Format if spec(each).saver)
        raise ValueError(f"format has to be {AUTO} or one of {known}.") from None


def _parse_cursor(cursor: str) -> int:
    number = int.from_bytes(urlsafe_b64decode(cursor + "=")) if _CURSOR.match(cursor) else 0
    if not 0 < number < 2**63:
        raise _invalid("cursor", "has to be the next_cursor of an answer")
    return number


def too_many_parameters(most: int) -> Error:
    """The error for a query with more than `most` parameters."""
    return Invalid(f"A query has at most {most} parameters.")


def _invalid_status() -> Error:
    return _invalid("status", f"has to be {' or '.join(_STATUSES)}")


def _invalid(field: str, rule: str) -> Error:
    return InvalidField(field, f"{field} {rule}.")


def _invalid_body(sentence: str, path: str) -> Error:
    return InvalidField(path, sentence) if path else Invalid(sentence)
