"""One vocabulary of errors; each dialect renders them in its own format."""

from enum import StrEnum

from msgspec import Struct


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
    INTERNAL = "internal"


class Violation(Struct, frozen=True):
    """One broken rule: the reason, and the field that broke it."""

    reason: str
    subject: str


class Error(Exception):
    """An error to report to the caller.

    Args:
        kind: what went wrong.
        message: one sentence for people; it contains no internal details.
        field: the invalid input field, as the client spelled it.
        code: the dialect's own error number, if it is more specific than `kind`.
        violations: all broken rules, for dialects that list them.
        retry_after: whole seconds until a retry can succeed.
    """

    def __init__(
        self,
        kind: Kind,
        message: str = "",
        *,
        field: str = "",
        code: int = 0,
        violations: tuple[Violation, ...] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message or kind.value)
        self.kind = kind
        self.message = message
        self.field = field
        self.code = code
        self.violations = violations
        self.retry_after = retry_after


def insufficient_storage(reason: str) -> Error:
    """The error for a failed write: the disk is full, over its quota, or read-only.

    Args:
        reason: the message of the operating system or the database.
    """
    sentence = f"Nothing can be stored at the moment ({reason}); try again later."
    return Error(Kind.INSUFFICIENT_STORAGE, sentence, retry_after=30)


def no_such_image() -> Error:
    """The error for an image that does not exist, or belongs to another account."""
    return Error(Kind.NOT_FOUND, "There is no such image.")
