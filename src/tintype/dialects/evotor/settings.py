"""Settings of the evotor dialect, section `[evotor]`."""

from msgspec import Struct

from tintype.dialects.evotor.rules import Rules


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """The evotor dialect."""

    requests: int = 1000
    """Requests that one token may make in a window; 0: no limit."""
    window_seconds: float = 60
    """Length of the sliding window, in seconds."""
    max_file_bytes: int = 5_242_800
    """The largest picture. The vendor's figure."""
    max_body_bytes: int = 10 * 1024 * 1024
    """The largest request body: 10 MiB. A picture between this size and `max_file_bytes` gets
    an error with the reason."""
    side: int = 300
    """Width and height of every picture, in pixels. The vendor's figure."""
    max_age_seconds: int = 300
    """How long clients may cache a picture without revalidation, in seconds."""

    def rules(self) -> Rules:
        """The rules for pictures."""
        return Rules(self.max_file_bytes, self.side)
