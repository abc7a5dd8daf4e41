"""Converts exceptions to `Error`s, and errors to problem details; logs unexpected exceptions."""

import errno
from http import HTTPStatus

import msgspec
import structlog
from litestar.exceptions import HTTPException

from tintype.model import (
    Error,
    Internal,
    InvalidField,
    InvalidImage,
    Kind,
    Malformed,
    MethodNotAllowed,
    NotFound,
    Overloaded,
    RangeNotSatisfiable,
    RetryableError,
    TooLarge,
)
from tintype.web.context import Context
from tintype.web.dialect_routes import RawResponse

log = structlog.get_logger("tintype")

INTERNAL = "Something went wrong on our side. The request id finds it in the log."

STATUS = {
    Kind.NO_TOKEN: HTTPStatus.UNAUTHORIZED,
    Kind.UNKNOWN_TOKEN: HTTPStatus.UNAUTHORIZED,
    Kind.EXPIRED_TOKEN: HTTPStatus.UNAUTHORIZED,
    Kind.FORBIDDEN: HTTPStatus.FORBIDDEN,
    Kind.EXPIRED_LINK: HTTPStatus.FORBIDDEN,
    Kind.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Kind.CONFLICT: HTTPStatus.CONFLICT,
    Kind.MALFORMED: HTTPStatus.BAD_REQUEST,
    Kind.INVALID: HTTPStatus.BAD_REQUEST,
    Kind.RANGE_NOT_SATISFIABLE: HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
    Kind.INVALID_IMAGE: HTTPStatus.BAD_REQUEST,
    Kind.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Kind.TOO_MANY_REQUESTS: HTTPStatus.TOO_MANY_REQUESTS,
    Kind.OVERLOADED: HTTPStatus.SERVICE_UNAVAILABLE,
    Kind.METHOD_NOT_ALLOWED: HTTPStatus.METHOD_NOT_ALLOWED,
    Kind.NOT_ACCEPTABLE: HTTPStatus.NOT_ACCEPTABLE,
    Kind.UNSUPPORTED_TYPE: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Kind.QUOTA_EXCEEDED: HTTPStatus.FORBIDDEN,
    Kind.INSUFFICIENT_STORAGE: HTTPStatus.INSUFFICIENT_STORAGE,
    Kind.ORIGINAL_MISSING: HTTPStatus.INTERNAL_SERVER_ERROR,
    Kind.INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""The default HTTP status of each kind of error; dialects override it where their vendor's API differs.

CLIENT_GONE has none: nothing is sent then.
"""

CLIENT_CLOSED_REQUEST = 499
"""The status that is logged, as nginx does, when the client disconnected and nothing was sent to it."""

_TOO_MANY_FILES = frozenset({errno.EMFILE, errno.ENFILE})
"""The limit of open files of this process, or of the machine, is reached."""


def to_error(raised: Exception, context: Context) -> Error:
    """The `Error` for an exception."""
    if isinstance(raised, Error):
        return raised
    if isinstance(raised, HTTPException):
        return _from_framework(raised)
    if isinstance(raised, OSError) and raised.errno in _TOO_MANY_FILES:
        log.error("too-many-open-files", request_id=context.request_id, reason=raised.strerror)
        return Overloaded("Too many files are open now; try again in a moment.", retry_after=5)
    log.error("unexpected-error", request_id=context.request_id, path=context.path, exc_info=raised)
    return Internal(INTERNAL)


def no_such_path() -> Error:
    """The error for a path that has nothing."""
    return NotFound("There is nothing at this path.")


def method_not_allowed(allowed: tuple[str, ...]) -> Error:
    """The error for a method that a path doesn't have; `allowed`: those that it has."""
    return MethodNotAllowed("This method can't be used on this path.", allowed)


def _from_framework(raised: HTTPException) -> Error:
    if raised.status_code == HTTPStatus.NOT_FOUND:
        return no_such_path()
    if raised.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers = {name.lower(): value for name, value in (raised.headers or {}).items()}
        return method_not_allowed(tuple(headers["allow"].split(", ")) if "allow" in headers else ())
    return Malformed(raised.detail)


def standard_headers(error: Error) -> dict[str, str]:
    """The standard headers of an error, the same in every dialect."""
    match error:
        case RetryableError():
            return {"Retry-After": str(error.retry_after)}
        case MethodNotAllowed() if error.allowed:
            return {"Allow": ", ".join(error.allowed)}
        case RangeNotSatisfiable():
            return {"Content-Range": f"bytes */{error.size}"}
        case _:
            return {}


def challenged_headers(error: Error) -> dict[str, str]:
    """The standard headers of an error, with the challenge of a 401 (RFC 9110, 11.6.1): a bearer token."""
    challenge = {"WWW-Authenticate": "Bearer"} if STATUS[error.kind] is HTTPStatus.UNAUTHORIZED else {}
    return standard_headers(error) | challenge


def problem_details(error: Error, context: Context, status: HTTPStatus | None = None) -> RawResponse:
    """An error as problem details (RFC 9457), the format of every path outside of the vendors' APIs.

    Args:
        error: the error.
        context: the request.
        status: instead of the default one.
    """
    status = status or STATUS[error.kind]
    body = {
        "type": f"urn:tintype:error:{error.kind.value}",
        "title": error.kind.value.replace("-", " ").capitalize(),
        "status": status.value,
        "detail": error.message,
        "request_id": context.request_id,
        **_details(error),
    }
    media_type = "application/problem+json"
    return RawResponse(status.value, msgspec.json.encode(body), media_type, challenged_headers(error))


def _details(error: Error) -> dict[str, str]:
    """What a client can correct, as further members."""
    match error:
        case InvalidField():
            return {"field": error.field}
        case TooLarge(part=str(part)):
            return {"field": part}
        case InvalidImage():
            return {"reason": error.reason.value}
        case _:
            return {}
