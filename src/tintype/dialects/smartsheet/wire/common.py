"""What all requests and responses have: headers, errors, times."""

from datetime import UTC, datetime
from http import HTTPStatus

import msgspec

from tintype.dialects.smartsheet.errors import InvalidHeader, failure
from tintype.model import Error, InvalidField, Kind, Malformed, NotAcceptable
from tintype.web.conditions import Headers
from tintype.web.context import Context
from tintype.web.dialect_routes import RawResponse
from tintype.web.errors import STATUS, challenged_headers
from tintype.web.negotiate import preferred

JSON = "application/json"
SOURCE_HEADER = "smartsheet-integration-source"
SOURCE_TYPES = frozenset({"AI", "SCRIPT", "APPLICATION"})
MAX_EXCERPT = 100
"""The most characters of a client's value that are copied into an error or the log."""

_LOGGED_HEADERS = {
    "integration_source": SOURCE_HEADER,
    "assume_user": "assume-user",
    "change_agent": "smartsheet-change-agent",
}

_STATUS = STATUS | {
    Kind.CONFLICT: HTTPStatus.BAD_REQUEST,
    Kind.TOO_LARGE: HTTPStatus.BAD_REQUEST,
    Kind.INSUFFICIENT_STORAGE: HTTPStatus.SERVICE_UNAVAILABLE,
}


def require_headers(headers: Headers) -> None:
    """Check the headers Accept and Smartsheet-Integration-Source.

    Raises:
        NotAcceptable: when JSON is not accepted.
        InvalidHeader: when the integration source is not valid.
    """
    if preferred(headers.get("accept", ""), (JSON,)) is None:
        raise NotAcceptable("The responses are JSON.")
    kind, *names = (part.strip() for part in headers.get(SOURCE_HEADER, "AI,-,-").split(","))
    if kind not in SOURCE_TYPES or len(names) != 2 or not all(names):  # noqa: PLR2004  organisation and source
        raise InvalidHeader(SOURCE_HEADER)


def log_fields(headers: Headers) -> dict[str, object]:
    """The values of headers that are only logged."""
    return {field: headers[name][:MAX_EXCERPT] for field, name in _LOGGED_HEADERS.items() if name in headers}


def render_error(error: Error, context: Context) -> RawResponse:
    """Encode an error as the vendor does; its reference is the id of the request."""
    body = msgspec.json.encode(failure(error, context.request_id))
    return RawResponse(_STATUS[error.kind].value, body, JSON, challenged_headers(error))


def too_many_parameters(most: int) -> Error:
    """The error for a query with more parameters than that."""
    return Malformed(f"there are more than {most} parameters.")


def invalid_value(value: object, name: str) -> Error:
    """The error for the value of an attribute or parameter."""
    return InvalidField(name, f"The value {excerpt(value)} was not valid for the attribute {name}.")


def excerpt(value: object) -> str:
    """The start of a client's value, as text."""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text[:MAX_EXCERPT]


def format_time(moment: datetime) -> str:
    """A time as the vendor writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
