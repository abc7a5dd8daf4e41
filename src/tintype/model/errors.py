"""One vocabulary of errors: a class for each kind, with the details of that kind.

Who raises one knows no HTTP; each dialect renders them in its own format.
"""

from enum import StrEnum
from typing import ClassVar, Literal

from tintype.imaging import Reason

Part = Literal["body", "file"]


class Kind(StrEnum):
    """What went wrong, as far as a caller may know."""

    NO_TOKEN = "no-token"  # noqa: S105  a name, no secret
    UNKNOWN_TOKEN = "unknown-token"  # noqa: S105  the same
    EXPIRED_TOKEN = "expired-token"  # noqa: S105  the same
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    EXPIRED_LINK = "expired-link"
    CONFLICT = "conflict"
    MALFORMED = "malformed"
    INVALID = "invalid"
    RANGE_NOT_SATISFIABLE = "range-not-satisfiable"
    INVALID_IMAGE = "invalid-image"
    TOO_LARGE = "too-large"
    TOO_MANY_REQUESTS = "too-many-requests"
    OVERLOADED = "overloaded"
    METHOD_NOT_ALLOWED = "method-not-allowed"
    NOT_ACCEPTABLE = "not-acceptable"
    UNSUPPORTED_TYPE = "unsupported-type"
    QUOTA_EXCEEDED = "quota-exceeded"
    INSUFFICIENT_STORAGE = "insufficient-storage"
    ORIGINAL_MISSING = "original-missing"
    CLIENT_GONE = "client-gone"
    INTERNAL = "internal"


class Error(Exception):
    """An error to report to the caller; raised as one of the classes below.

    Attributes:
        kind: what went wrong.
        message: one sentence for people; it contains no internal details.
    """

    kind: ClassVar[Kind]

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NoToken(Error):
    """The request has no token."""

    kind = Kind.NO_TOKEN


class UnknownToken(Error):
    """The token is unknown, revoked, or of another dialect."""

    kind = Kind.UNKNOWN_TOKEN


class ExpiredToken(Error):
    """The token has expired."""

    kind = Kind.EXPIRED_TOKEN


class Forbidden(Error):
    """The caller may not do this, or the link was not signed by this service."""

    kind = Kind.FORBIDDEN


class NotFound(Error):
    """There is no such thing, or it belongs to another account."""

    kind = Kind.NOT_FOUND


class ExpiredLink(Error):
    """The link has expired."""

    kind = Kind.EXPIRED_LINK


class Conflict(Error):
    """The present state excludes it."""

    kind = Kind.CONFLICT


class Malformed(Error):
    """The body or a header can't be parsed."""

    kind = Kind.MALFORMED


class IncompleteBody(Malformed):
    """The body ended, or was too slow, before it was complete. The client may still wait for a response."""


class Invalid(Error):
    """A value is not valid."""

    kind = Kind.INVALID


class InvalidField(Invalid):
    """The value of one field or parameter is not valid.

    Attributes:
        field: its name, as the client spelled it.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class RangeNotSatisfiable(Error):
    """The range begins after the end.

    Attributes:
        size: bytes of the whole picture.
    """

    kind = Kind.RANGE_NOT_SATISFIABLE

    def __init__(self, size: int) -> None:
        super().__init__(f"The picture has {size} bytes.")
        self.size = size


class InvalidImage(Error):
    """The bytes are not an accepted image.

    Attributes:
        reason: why not.
    """

    kind = Kind.INVALID_IMAGE

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class TooLarge(Error):
    """The body, or a file, has more bytes than are accepted.

    Attributes:
        part: which of the two; None when only one can be meant.
    """

    kind = Kind.TOO_LARGE

    def __init__(self, message: str, part: Part | None = None) -> None:
        super().__init__(message)
        self.part = part


class RetryableError(Error):
    """An error that passes.

    Attributes:
        retry_after: whole seconds until a retry can succeed.
    """

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TooManyRequests(RetryableError):
    """The caller is over a rate limit."""

    kind = Kind.TOO_MANY_REQUESTS


class Overloaded(RetryableError):
    """Too much is going on for this to be begun."""

    kind = Kind.OVERLOADED


class InsufficientStorage(RetryableError):
    """A write failed: the disk is full, over its quota, or read-only.

    Args:
        reason: the message of the operating system or the database.
    """

    kind = Kind.INSUFFICIENT_STORAGE

    def __init__(self, reason: str) -> None:
        super().__init__(f"Nothing can be stored at the moment ({reason}); try again later.", retry_after=30)


class MethodNotAllowed(Error):
    """The path does not have this method.

    Attributes:
        allowed: the methods that it has.
    """

    kind = Kind.METHOD_NOT_ALLOWED

    def __init__(self, message: str, allowed: tuple[str, ...]) -> None:
        super().__init__(message)
        self.allowed = allowed


class NotAcceptable(Error):
    """The client accepts none of the available media types."""

    kind = Kind.NOT_ACCEPTABLE


class UnsupportedType(Error):
    """The body has a media type that is not supported."""

    kind = Kind.UNSUPPORTED_TYPE


class QuotaExceeded(Error):
    """The account would exceed a quota."""

    kind = Kind.QUOTA_EXCEEDED


class OriginalMissing(Error):
    """The original of a recorded image is missing or damaged."""

    kind = Kind.ORIGINAL_MISSING


class ClientGone(Error):
    """The client disconnected before there was a response; there is nobody to send one to."""

    kind = Kind.CLIENT_GONE

    def __init__(self) -> None:
        super().__init__("The client disconnected.")


class Internal(Error):
    """An unexpected error; the log says more."""

    kind = Kind.INTERNAL


def no_such_image() -> NotFound:
    """The error for an image that does not exist, or belongs to another account."""
    return NotFound("There is no such image.")
