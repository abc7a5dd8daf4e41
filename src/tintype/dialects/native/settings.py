"""Settings of the native dialect, section `[native]`."""

from typing import Annotated

from msgspec import Meta, Struct


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """The native dialect."""

    requests: int = 6_000
    """Requests that one token may make in a window; 0: no limit."""
    window_seconds: float = 60
    """Length of the sliding window, in seconds."""
    default_limit: Annotated[int, Meta(ge=1)] = 50
    """Images on a page when `limit` is absent."""
    max_limit: Annotated[int, Meta(ge=1)] = 1000
    """The largest `limit`."""
    max_body_bytes: Annotated[int, Meta(ge=0)] = 1024 * 1024
    """The most bytes of a multipart body besides the image, and of any other body."""
    max_links: Annotated[int, Meta(ge=1)] = 1000
    """The most links of one request."""
    max_age_seconds: Annotated[int, Meta(ge=0)] = 3600
    """How long clients may cache a picture without revalidation, in seconds."""
