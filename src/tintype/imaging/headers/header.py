"""What a header says, and what is said of one that goes on for too long."""

from msgspec import Struct

from tintype.imaging.errors import ImageRefused, Reason

MAX_PROFILE_BYTES = 8 * 1024 * 1024
"""Of a colour profile; those of the largest printing presses have 3 MB."""


class Header(Struct, frozen=True, kw_only=True):
    """What a header says.

    Attributes:
        width, height: in pixels; as stored, but as seen where a file turns its pixels itself (HEIC, JXL).
        frames: how many the file tells of.
        has_alpha: whether there is alpha, where no other decoder is asked for it (HEIC, JXL, SVG).
        bands: channels, as far as the header says it.
        whole: pixels that have to be decoded before the first line is there: of most formats all of them, of
            a TIFF a row of tiles, if that is high; 0 where lines come one by one.
        buffered: bytes that decoding holds besides, where that depends on the file.
        file: bytes of the file that decoding holds at once.
    """

    width: int
    height: int
    frames: int = 1
    has_alpha: bool = False
    bands: int = 3
    whole_pixels: int = 0
    buffer_bytes: int = 0
    file_bytes: int = 0


def too_many(what: str, limit: int) -> ImageRefused:
    """The refusal of a file that has more of something than is followed."""
    return ImageRefused(Reason.TOO_COSTLY, f"The picture has more {what} than are accepted: {limit}.")


def check_profile(size: int) -> None:
    """Raise ImageRefused (too costly) for a colour profile of so many bytes, when it is too long."""
    if size > MAX_PROFILE_BYTES:
        raise too_many("bytes of colour profile", MAX_PROFILE_BYTES)
