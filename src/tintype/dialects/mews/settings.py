"""Settings of the mews dialect, section `[mews]`."""

from typing import Literal

from msgspec import Struct

from tintype.model import Links


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """The mews dialect."""

    requests: int = 200
    """Requests that one access token may make in a window; 0: no limit. The vendor's figure."""
    window_seconds: float = 30
    """Length of the sliding window, in seconds. The vendor's figure."""
    max_images: int = 1000
    """The most items of one request."""
    max_side: int = 8192
    """The largest Width and Height of a request."""
    default_resize_mode: Literal["", "Cover", "CoverExact", "Fit", "FitExact"] = ""
    """The ResizeMode of an item that has none, or null; empty: it is required."""
    max_body_bytes: int = 1024 * 1024
    """The largest request body."""
    max_age_seconds: int = 3600
    """How long clients may cache a picture without revalidation, in seconds."""
    links: Links = Links.PLAIN
    """The links of accounts that have no setting of their own: `plain`, the vendor's form, which anybody can
    write, or `signed`."""
