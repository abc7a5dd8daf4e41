"""The evotor wire format: snake_case JSON, the token in a header, errors with code and violations."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from uuid import UUID

import msgspec
from msgspec import Struct

from tintype.dialects.evotor.rules import Rules, file_violations, shape_violations
from tintype.imaging import ImageInfo, Reason, spec
from tintype.imaging.sandbox.messages import Examined
from tintype.model import (
    Account,
    Caller,
    Error,
    Image,
    Invalid,
    InvalidField,
    Kind,
    Malformed,
    NotFound,
    Placement,
    no_such_image,
)
from tintype.model.ids import parse_uuid
from tintype.web.authorization import bearer_token
from tintype.web.bodies import Part
from tintype.web.conditions import Headers
from tintype.web.context import Context
from tintype.web.dialect_routes import RawResponse
from tintype.web.errors import STATUS, challenged_headers
from tintype.web.negotiate import preferred
from tintype.web.query import parse_filled

FIELD = "datafile"
"""The form field that holds the picture of an upload."""

PRODUCT = "product"
"""The kind of placements of products, in the container of their store."""

FIRST_USER_ID = 200_000_000_000_000
"""The number that the ids of accounts are counted from."""

JSON = "application/json"
JSON_V2 = "application/vnd.evotor.v2+json"

_OPAQUE_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_ID_RULE = "Ids are 1 to 128 letters, digits, hyphens, underscores and dots."

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


class Violation(Struct, frozen=True):
    """One broken rule: the reason, and the field that broke it."""

    reason: str
    subject: str


class UploadRejected(Invalid):
    """An upload that breaks rules, each of which is listed."""

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        super().__init__("The picture can't be taken in; the violations say why.")
        self.violations = violations


class Meta(Struct, frozen=True):
    """The format and size of the picture: `file_size` in bytes, sides in pixels."""

    extension: str
    file_size: int
    width: int
    height: int


class ProductImage(Struct, frozen=True):
    """The image of a product. `user_id` is the account; `url` is null for an archived image."""

    id: UUID
    user_id: str
    store_id: str
    product_id: str
    url: str | None
    meta: Meta
    created_at: str
    updated_at: str


class Paging(Struct, frozen=True, omit_defaults=True):
    """The cursor of the next page; empty on the last page."""

    next_cursor: str | None = None


class Page(Struct, frozen=True):
    """The images of a product."""

    items: list[ProductImage]
    paging: Paging


class Failure(Struct, frozen=True):
    """The body of every error. The official client reads exactly these three keys."""

    code: str
    message: str
    violations: tuple[Violation, ...]


def parse_token(headers: Headers) -> str | None:
    """The token in the headers; None or empty if there is none.

    `X-Authorization` has precedence over `Authorization`. In both, the scheme `Bearer` is optional, because
    clients send all of these forms.
    """
    value = headers.get("x-authorization", "").strip() or headers.get("authorization", "")
    return bearer_token(value, scheme_required=False)


def parse_placement(store: str, product: str) -> Placement:
    """The placement of a product's image.

    Raises:
        NotFound: when an id has characters that ids can't have.
    """
    return Placement(PRODUCT, parse_opaque_id(store), parse_opaque_id(product))


def require_product(placement: Placement) -> None:
    """Check the ids of a placement that did not come in through this dialect.

    Raises:
        InvalidField: when an id has characters that ids can't have, or there is a slot.
    """
    for field, id in (("container", placement.container), ("holder", placement.holder)):
        if not _OPAQUE_ID.fullmatch(id):
            raise InvalidField(field, f"{field}: {_ID_RULE}")
    if placement.slot:
        raise InvalidField("slot", "A product has one image, and no slots.")


def parse_opaque_id(text: str) -> str:
    """The id of a store or product, unchanged.

    Raises:
        NotFound: when the text can't be such an id.
    """
    if not _OPAQUE_ID.fullmatch(text):
        raise NotFound(_ID_RULE)
    return text


def parse_image_id(text: str) -> UUID:
    """The id of an image.

    Raises:
        NotFound: when it is not a UUID.
    """
    found = parse_uuid(text)
    if found is None:
        raise no_such_image()
    return found


def require_first_page(query: str) -> None:
    """Check that the query has no cursor: there is only one page, so no cursor was ever given out.

    Raises:
        Malformed: when there is one.
    """
    if "cursor" in parse_filled(query):
        raise Malformed("This cursor is not known.")


def require_valid(part: Part, examined: Examined, rules: Rules) -> ImageInfo:
    """The info of a picture that follows all rules.

    Raises:
        UploadRejected: when a rule is broken, with a violation for each.
    """
    reasons = list(_violations(part, examined, rules))
    if examined.refused is not None and not reasons:
        # The general limits can be stricter than the vendor's rules.
        reasons = [examined.refused.sentence]
    if reasons or examined.info is None:
        raise _invalid(*reasons)
    return examined.info


def not_multipart() -> Error:
    """The error for an upload whose Content-Type is not multipart/form-data."""
    return Malformed(f"Send the picture as multipart/form-data, in the field {FIELD}.")


def no_file() -> Error:
    """The error for an upload without a picture."""
    return _invalid(f"A picture is required in the field {FIELD}.")


def product_image(image: Image, placement: Placement, caller: Caller, url: str | None) -> ProductImage:
    """The image attached to a product of the caller; without a URL if no link opens it."""
    return ProductImage(
        id=image.id,
        user_id=format_user_id(caller.account),
        store_id=placement.container,
        product_id=placement.holder,
        url=url,
        meta=Meta(spec(image.format).extensions[0], image.bytes, image.width, image.height),
        created_at=format_time(image.created_at),
        updated_at=format_time(image.modified_at),
    )


def format_user_id(account: Account) -> str:
    """The id of an account in the vendor's format: `02-` and 15 digits."""
    return f"02-{FIRST_USER_ID + account.number}"


def format_time(at: datetime) -> str:
    """A time in the vendor's format, `2018-09-04T13:31:01.104+0000`: milliseconds, rounded down."""
    utc = at.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}+0000"


def encode_response(image: ProductImage) -> bytes:
    """The body of a response with one image."""
    return msgspec.json.encode(image)


def encode_page(images: list[ProductImage]) -> bytes:
    """The body of the list: one page, which is the last."""
    return msgspec.json.encode(Page(images, Paging()))


def media_type(context: Context) -> str:
    """The vendor's media type if Accept names it and ranks it no lower than JSON, else JSON.

    Also JSON when Accept excludes both (our choice: the vendor has no rule).
    """
    accept = context.headers.get("accept", "")
    if JSON_V2 in accept.lower() and preferred(accept, (JSON_V2, JSON)) == JSON_V2:
        return JSON_V2
    return JSON


def rate_limit_headers(context: Context) -> dict[str, str]:
    """The rate limit of the token and what remains of it. Empty before authentication and without a limit.

    `X-RateLimit-Reset` is the number of seconds until the whole limit is available again.
    """
    status = context.rate_limit_status
    if status is None or not status.limit:
        return {}
    return {
        "X-RateLimit-Limit": str(status.limit),
        "X-RateLimit-Remaining": str(status.remaining),
        "X-RateLimit-Reset": str(status.reset_seconds),
    }


def render_error(error: Error, context: Context) -> RawResponse:
    """Encode an error as the vendor does."""
    if isinstance(error, UploadRejected):
        failure = Failure("validation_failed", error.message, error.violations)
    else:
        failure = Failure(_CODES[error.kind], error.message, ())
    headers = challenged_headers(error) | rate_limit_headers(context)
    return RawResponse(_STATUS[error.kind].value, msgspec.json.encode(failure), media_type(context), headers)


def _violations(part: Part, examined: Examined, rules: Rules) -> Iterator[str]:
    """One sentence for each broken rule."""
    if part.count > 1:
        yield f"Only one {FIELD} may be sent; this request has {part.count}."
    yield from file_violations(examined.format, part.staged.size, rules)
    info = examined.info
    if info is not None:
        yield from shape_violations(info.width, info.height, info.frames, rules)
    if examined.refused is not None and examined.refused.reason is Reason.DAMAGED:
        yield examined.refused.sentence


def _invalid(*reasons: str) -> Error:
    return UploadRejected(tuple(Violation(reason, FIELD) for reason in reasons))
