"""What can go wrong, said once; each dialect's edge decides how it sounds."""

from enum import StrEnum

from msgspec import Struct


class Kind(StrEnum):
    """What happened, as far as a caller may know it."""

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
    """One broken rule: why, and which field broke it."""

    reason: str
    subject: str


class Error(Exception):
    """Something happened that the caller has to hear of.

    Args:
        kind: what happened.
        message: one sentence for a person; it holds nothing of the inside.
        field: the input field at fault, as the client spelled it.
        code: a dialect's own number for it, where the dialect has finer ones than `kind`.
        violations: every broken rule, where a dialect lists them.
        retry_after: whole seconds until another try can succeed.
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
    """The error for what can't be stored now: the disk is full, over a quota, or only read.

    Args:
        reason: what the disk, or the database, calls it.
    """
    sentence = f"Nothing can be stored at the moment ({reason}); try again later."
    return Error(Kind.INSUFFICIENT_STORAGE, sentence, retry_after=30)


def no_such_image() -> Error:
    """The error for an image that is not there, or not the caller's."""
    return Error(Kind.NOT_FOUND, "There is no such image.")
