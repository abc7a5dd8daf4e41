"""Settings of the smartsheet dialect, section `[smartsheet]`."""

from typing import Annotated

from msgspec import Meta, Struct


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """The smartsheet dialect."""

    requests: int = 300
    """Requests that one token may make in a window; 0: no limit. The vendor's figure."""
    window_seconds: float = 60
    """Length of the sliding window, in seconds. The vendor's figure."""
    upload_cost: int = 10
    """How many requests an upload counts as. The vendor's figure."""
    max_images: int = 1000
    """The most items of one imageurls request."""
    max_body_bytes: int = 1024 * 1024
    """The largest body of an imageurls request."""
    max_upload_bytes: int = 30 * 1024 * 1024
    """The largest image put into a cell, in bytes. The vendor's figure."""
    max_alt_text: int = 100
    """The longest alternate text, in characters. The vendor's figure."""
    link_seconds: int = 1800
    """How long a delivery link is valid, in seconds."""
    max_rows: int = 1000
    """The most rows or sheets of one response."""
    max_columns: int = 400
    """The most columns of a sheet that are returned. The vendor's figure."""
    oauth_requests: int = 300
    """Requests that one address may make without a token, as to `/b/authorize` and `/2.0/token`, in a window;
    0: no limit.
    """
    oauth_code_seconds: int = 600
    """How long an authorization code is valid, and how long a consent page may be open, in seconds."""
    oauth_access_seconds: int = 604_800
    """How long an OAuth access token is valid, in seconds. The vendor's figure."""
    oauth_refresh_seconds: int = 7_776_000
    """How long an OAuth refresh token is valid, in seconds; each use gives a new one."""
    oauth_tokens: Annotated[int, Meta(ge=2)] = 100
    """The most tokens, valid or not, that an OAuth app has for one person; the oldest are deleted."""
