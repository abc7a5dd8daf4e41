"""Settings of the smartsheet dialect, section `[smartsheet]`."""

from msgspec import Struct


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
