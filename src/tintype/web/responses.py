"""Responses of endpoints, and the framework's from them."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from litestar import Response

from tintype.web.dialect_routes import RawResponse

JSON = "application/json"


def json_response(
    body: bytes,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    media_type: str = JSON,
) -> RawResponse:
    """A response with an encoded body."""
    return RawResponse(status, body, media_type, dict(headers or {}))


def no_content(headers: Mapping[str, str] | None = None) -> RawResponse:
    """A response without a body."""
    return RawResponse(HTTPStatus.NO_CONTENT.value, b"", JSON, dict(headers or {}))


def from_raw(response: RawResponse) -> Response[Any]:
    """The framework's response for a RawResponse."""
    # As a header, because the framework appends a charset to media types of texts.
    content_type = {"content-type": response.media_type} if response.body else {}
    return Response(
        response.body or None,
        status_code=response.status,
        headers=response.headers | content_type,
        media_type=response.media_type,
    )
