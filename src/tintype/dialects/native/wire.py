"""The native wire format: snake_case JSON, RFC 3339 times, problem details (RFC 9457) for errors."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from tintype import model
from tintype.core.upkeep import purge
from tintype.imaging import Crop, Focal, Format, Mode, Reason, Recipe, parse_colour, spec
from tintype.imaging.recipe.params import AUTO
from tintype.model import Error, Kind, Status
from tintype.web.context import Context
from tintype.web.dialect_routes import Query, RawResponse
from tintype.web.errors import STATUS, problem

MAX_PARAMETERS = 50
"""Parameters of one query."""

MAX_SIDE = 65_535
"""The longest side that a link can ask for; what is made is bounded by the settings of [images]."""
MAX_RENDITION_BYTES = 999_999_999
"""The largest `max_bytes`; more is no bound."""
MAX_LIFE_SECONDS = 10 * 366 * 86_400
"""The longest life of a link that ends."""

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
    """One image. Sides are pixels as a person sees them, `bytes` and `sha256` are the original's.

    `thumbhash` is base64; it is null for images of a time before there were any, `colour` also for a picture
    of nothing but transparent pixels.
    """

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
    thumbhash: str | None
    colour: str | None
    url: str


class Page(Struct, frozen=True):
    """Some images, newest first, and where to go on; nowhere if there are no more."""

    images: list[Image]
    next_cursor: str | None


class LinkRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One link that is asked for: an image, the fields of a recipe, and how long it lives, in seconds."""

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
        """The recipe in its normal form; None when nothing is asked: the original.

        Raises:
            ValueError: what can't be, or not together.
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
    """What a purge removed; `version` is the image's present one."""

    image: UUID
    version: int
    count: int
    bytes: int
    renditions: tuple[purge.Removed, ...]


class LinksRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The body that asks for links."""

    links: Annotated[list[LinkRequest], Meta(min_length=1)]


class SignedLink(Struct, frozen=True):
    """One link; no `url` when the account has no such image. `expires_at` is null for one that stays."""

    image: UUID
    url: str | None
    expires_at: datetime | None


class SignedLinks(Struct, frozen=True):
    """Links in the order they were asked for."""

    links: list[SignedLink]


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
        raise _invalid_status()
    return status


def parse_change(body: bytes) -> Status:
    """What an image becomes: the body `{"status": "active"}` or `{"status": "archived"}`.

    Raises:
        Error: MALFORMED when the body is no JSON, INVALID with the field at fault.
    """
    try:
        asked = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        raise Error(Kind.MALFORMED, "The body is not JSON.") from broken
    told = asked.get("status") if isinstance(asked, dict) else None
    status = _STATUSES.get(told) if isinstance(told, str) else None
    if status is None:
        raise _invalid_status()
    if len(asked) > 1:
        field = next(name for name in asked if name != "status")
        raise _invalid(field, "can't be changed")
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


def parse_links(raw: bytes, *, most: int) -> list[tuple[LinkRequest, Recipe | None]]:
    """The links that a body asks for, each with its recipe.

    Raises:
        Error: MALFORMED when it is no JSON; INVALID with the path to the field at fault.
    """
    try:
        asked = msgspec.json.decode(raw.decode(), type=LinksRequest).links
    except msgspec.ValidationError as wrong:
        sentence, _, path = str(wrong).partition(" - at `$.")
        raise Error(Kind.INVALID, f"{sentence}.", field=path.rstrip("`")) from wrong
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        raise Error(Kind.MALFORMED, "The body has to be JSON.") from broken
    if len(asked) > most:
        raise _invalid("links", f"may hold at most {most} of them")
    return [(each, _recipe(each, at)) for at, each in enumerate(asked)]


def answer_links(links: list[SignedLink]) -> bytes:
    """The body with the links."""
    return msgspec.json.encode(SignedLinks(links))


def encode_response(image: model.Image, url: str) -> bytes:
    """The body for one image."""
    return msgspec.json.encode(_image(image, url))


def answer_page(images: Sequence[tuple[model.Image, str]], *, more: bool) -> bytes:
    """The body for a list of images, each with its link."""
    cursor = write_cursor(images[-1][0].number) if more else None
    return msgspec.json.encode(Page([_image(image, url) for image, url in images], cursor))


def write_cursor(number: int) -> str:
    """Where a list goes on: behind the image of this number. 8 bytes as 11 base64url characters."""
    return urlsafe_b64encode(number.to_bytes(8)).rstrip(b"=").decode()


def answer_receipt(receipt: purge.Receipt) -> bytes:
    """The body for what a purge removed."""
    told = Receipt(
        image=receipt.image.id,
        version=receipt.image.version,
        count=len(receipt.removed),
        bytes=receipt.bytes(),
        renditions=receipt.removed,
    )
    return msgspec.json.encode(told)


def render_error(error: Error, context: Context) -> RawResponse:
    """An error in this dialect."""
    said = problem(error, context, _status(error))
    if error.kind in _CHALLENGES:
        return msgspec.structs.replace(
            said, headers=said.headers | {"WWW-Authenticate": _CHALLENGES[error.kind]}
        )
    return said


def _status(error: Error) -> HTTPStatus:
    if error.kind is not Kind.INVALID_IMAGE:
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


def _recipe(asked: LinkRequest, at: int) -> Recipe | None:
    try:
        return asked.recipe()
    except ValueError as wrong:
        raise Error(Kind.INVALID, str(wrong), field=f"links[{at}]") from wrong


def _format(name: str) -> Format:
    try:
        return Format(name)
    except ValueError:
        known = ", ".join(each.value for each in Format if spec(each).saver)
        raise ValueError(f"format has to be {AUTO} or one of {known}.") from None


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


def _invalid_status() -> Error:
    return _invalid("status", f"has to be {' or '.join(_STATUSES)}")


def _invalid(field: str, rule: str) -> Error:
    return Error(Kind.INVALID, f"{field} {rule}.", field=field)
