"""The evotor wire format: snake_case JSON, the token in a header, errors as code, message and violations."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
from msgspec import Struct

from tintype.core.library.ingest import Inspection
from tintype.imaging import Format, ImageInfo, Reason, spec
from tintype.model import Caller, Error, Image, Kind, Placement, no_such_image
from tintype.model.error import Violation
from tintype.model.ids import parse_uuid
from tintype.web.bodies import Part
from tintype.web.context import Context
from tintype.web.dialect_routes import RawResponse
from tintype.web.errors import STATUS, standard_headers
from tintype.web.negotiate import preferred

FIELD = "datafile"
"""The field of the picture in an upload."""

JSON = "application/json"
JSON_V2 = "application/vnd.evotor.v2+json"

_SCHEME = re.compile(r"bearer[ \t]+", re.IGNORECASE)
_OPAQUE_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")

_CODES = {
    Kind.NO_TOKEN: "unauthorized",
    Kind.UNKNOWN_TOKEN: "unauthorized",
    Kind.EXPIRED_TOKEN: "token_expired",
    Kind.FORBIDDEN: "forbidden",
    Kind.EXPIRED_LINK: "forbidden",
    Kind.NOT_FOUND: "not_found",
    Kind.QUOTA_EXCEEDED: "forbidden",
    Kind.CONFLICT: "conflict",
    Kind.MALFORMED: "bad_request",
    Kind.INVALID: "bad_request",
    Kind.INVALID_IMAGE: "bad_request",
    Kind.TOO_LARGE: "payload_too_large",
    Kind.TOO_MANY_REQUESTS: "rate_limit",
    Kind.OVERLOADED: "service_unavailable",
    Kind.METHOD_NOT_ALLOWED: "method_not_allowed",
    Kind.NOT_ACCEPTABLE: "not_acceptable",
    Kind.UNSUPPORTED_TYPE: "unsupported_media_type",
    Kind.RANGE_NOT_SATISFIABLE: "range_not_satisfiable",
    Kind.INSUFFICIENT_STORAGE: "service_unavailable",
    Kind.ORIGINAL_MISSING: "internal_error",
    Kind.INTERNAL: "internal_error",
}
_STATUS = STATUS | {Kind.INSUFFICIENT_STORAGE: HTTPStatus.SERVICE_UNAVAILABLE}


class Meta(Struct, frozen=True):
    """Facts of the picture; sides are pixels."""

    extension: str
    file_size: int
    width: int
    height: int


class ProductImage(Struct, frozen=True):
    """The image of a product. `user_id` is the account."""

    id: UUID
    user_id: str
    store_id: str
    product_id: str
    url: str
    meta: Meta
    created_at: str
    updated_at: str


class Paging(Struct, frozen=True, omit_defaults=True):
    """Where the next page begins; empty on the last."""

    next_cursor: str | None = None


class Page(Struct, frozen=True):
    """The images of a product."""

    items: list[ProductImage]
    paging: Paging


class Failure(Struct, frozen=True):
    """The body of every error: always these three keys, the official client reads no others."""

    code: str
    message: str
    violations: tuple[Violation, ...]


class Rules(Struct, frozen=True):
    """What a picture has to be: at most so many bytes, and so many pixels wide and high."""

    max_bytes: int
    side: int


def token(headers: Mapping[str, str]) -> str:
    """The token in the headers, empty if there is none.

    `X-Authorization` before `Authorization`; in either it stands alone or behind `Bearer`, as clients
    send all of these.
    """
    given = headers.get("x-authorization", "").strip() or headers.get("authorization", "").strip()
    return _SCHEME.sub("", given, count=1) if _SCHEME.match(given) else given


def opaque_id(text: str) -> str:
    """The id of a store or product, as it is.

    Raises:
        Error: NOT_FOUND when none can look like this.
    """
    if not _OPAQUE_ID.fullmatch(text):
        raise Error(Kind.NOT_FOUND, "Ids are 1 to 128 letters, digits, hyphens, underscores and dots.")
    return text


def image_id(text: str) -> UUID:
    """The id of an image.

    Raises:
        Error: NOT_FOUND when it is no UUID.
    """
    found = parse_uuid(text)
    if found is None:
        raise no_such_image()
    return found


def require_first_page(query: str) -> None:
    """Raise MALFORMED for any cursor: there are never two pages, so we gave none out."""
    if any(name == "cursor" for name, _ in parse_qsl(query)):
        raise Error(Kind.MALFORMED, "This cursor is not known.")


def accepted(part: Part, look: Inspection, rules: Rules) -> ImageInfo:
    """The info of a picture that is as it has to be.

    Raises:
        Error: INVALID with a violation for each rule that is broken.
    """
    reasons = list(_broken(part, look, rules))
    if look.refused is not None and not reasons:
        # The general limits can be set tighter than the vendor's rules.
        reasons = [look.refused.message]
    if reasons or look.info is None:
        raise _invalid(*reasons)
    return look.info


def not_multipart() -> Error:
    """The error for an upload whose body does not say that it is multipart/form-data."""
    return Error(Kind.MALFORMED, f"Send the picture as multipart/form-data, in the field {FIELD}.")


def nothing_sent() -> Error:
    """The error for an upload without a picture."""
    return _invalid(f"A picture is required in the field {FIELD}.")


def describe(image: Image, placement: Placement, caller: Caller, url: str) -> ProductImage:
    """An image that hangs at a product of the caller's."""
    return ProductImage(
        id=image.id,
        user_id=caller.account.external_id,
        store_id=placement.container,
        product_id=placement.holder,
        url=url,
        meta=Meta(spec(image.format).extensions[0], image.bytes, image.width, image.height),
        created_at=moment(image.created_at),
        updated_at=moment(image.modified_at),
    )


def moment(at: datetime) -> str:
    """A moment as the vendor writes it, `2018-09-04T13:31:01.104+0000`: milliseconds, cut off."""
    utc = at.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}+0000"


def encode_response(image: ProductImage) -> bytes:
    """The body of a success with one image."""
    return msgspec.json.encode(image)


def page(images: list[ProductImage]) -> bytes:
    """The body of the list; its page is the last."""
    return msgspec.json.encode(Page(images, Paging()))


def media_type(context: Context) -> str:
    """The vendor's own type where Accept names it and likes it no less than plain JSON; JSON otherwise.

    Also JSON where Accept rules out both (ours): an answer that can be read beats none.
    """
    accept = context.headers.get("accept", "")
    if JSON_V2 in accept.lower() and preferred(accept, (JSON_V2, JSON)) == JSON_V2:
        return JSON_V2
    return JSON


def rate_limit_headers(context: Context) -> dict[str, str]:
    """What the token has left, once one was accepted; nothing where there is no limit.

    `X-RateLimit-Reset` is in seconds from now: without another request, all of the limit is there again.
    """
    left = context.rate_limit_status
    if left is None or not left.limit:
        return {}
    return {
        "X-RateLimit-Limit": str(left.limit),
        "X-RateLimit-Remaining": str(left.remaining),
        "X-RateLimit-Reset": str(left.reset_seconds),
    }


def render_error(error: Error, context: Context) -> RawResponse:
    """An error in this dialect."""
    status = _STATUS[error.kind]
    code = "validation_failed" if error.violations else _CODES[error.kind]
    body = msgspec.json.encode(Failure(code, error.message or status.phrase, error.violations))
    headers = standard_headers(error) | rate_limit_headers(context)
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return RawResponse(status.value, body, media_type(context), headers)


def _broken(part: Part, look: Inspection, rules: Rules) -> Iterator[str]:
    """A sentence for each rule that is broken."""
    if part.count > 1:
        yield f"Only one {FIELD} may be sent; this request has {part.count}."
    if look.format is not Format.PNG:
        yield "The picture has to be a PNG."
    if part.staged.size > rules.max_bytes:
        yield f"The picture has {part.staged.size} bytes; at most {rules.max_bytes} are accepted."
    if look.info is not None:
        yield from _wrong_shape(look.info, rules.side)
    if look.refused is not None and look.refused.field == Reason.DAMAGED:
        yield look.refused.message


def _wrong_shape(info: ImageInfo, side: int) -> Iterator[str]:
    if (info.width, info.height) != (side, side):
        yield f"The picture is {info.width} by {info.height} pixels; it has to be {side} by {side}."
    if info.is_animated:
        yield f"The picture is animated, with {info.frames} frames; it has to have one."


def _invalid(*reasons: str) -> Error:
    violations = tuple(Violation(reason, FIELD) for reason in reasons)
    return Error(
        Kind.INVALID, "The picture can't be taken in; the violations say why.", violations=violations
    )
