"""Settings of the thumbs dialect, section `[thumbs]`."""

from msgspec import Struct

from tintype.model import Links


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """The thumbs dialect."""

    max_age_seconds: int = 3600
    """How long clients may cache a picture without revalidation, in seconds."""
    links: Links = Links.PLAIN
    """The links of accounts that have no setting of their own: `plain` or `signed`."""
