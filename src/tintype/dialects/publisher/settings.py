"""Settings of the publisher dialect, section `[publisher]`."""

from typing import Annotated

from msgspec import Meta, Struct

from tintype.model import Links


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """The publisher dialect."""

    requests: int = 6_000
    """Requests that one token may make in a window; 0: no limit. The vendor has no figure."""
    window_seconds: float = 60
    """Length of the sliding window, in seconds."""
    default_limit: Annotated[int, Meta(ge=1)] = 30
    """Images on a page when `limit` is absent. The vendor's figure."""
    max_limit: Annotated[int, Meta(ge=1)] = 1000
    """The largest `limit`."""
    max_extensions: Annotated[int, Meta(ge=1)] = 100
    """The most different values in `extension`."""
    thumbnail_side: Annotated[int, Meta(ge=1)] = 200
    """Side of the square that a thumbnail fits, in pixels."""
    max_body_bytes: int = 64 * 1024
    """The largest request body; no request of this dialect needs one."""
    max_age_seconds: int = 3600
    """How long clients may cache a picture without revalidation, in seconds."""
    links: Links = Links.PLAIN
    """The links of accounts that have no setting of their own: `plain`, the vendor's form, which anybody can
    write, or `signed`."""
