"""The framework's responses from encoded bytes."""

from litestar import Response

from tintype.web.dialect_routes import RawResponse


def json_response(
    body: bytes,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    media_type: str = "application/json",
) -> Response[bytes]:
    """A response with an encoded body."""
    return Response(body, status_code=status, headers=headers, media_type=media_type)


def from_raw(answer: RawResponse) -> Response[bytes]:
    """The framework's response for a RawResponse."""
    return json_response(
        answer.body, status=answer.status, headers=answer.headers, media_type=answer.media_type
    )
