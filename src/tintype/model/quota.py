"""How much an account may hold and do, and how much it holds."""

from msgspec import Struct


class Quotas(Struct, frozen=True):
    """How much an account may hold and do; 0 is no limit.

    Attributes:
        bytes: of originals.
        images: of them.
        uploads: under way at once.
        pixel_seconds: seconds of render slots in a minute.
    """

    bytes: int
    images: int
    uploads: int
    pixel_seconds: int


class QuotaOverrides(Struct, frozen=True):
    """What is set for one account; None: as the settings say."""

    bytes: int | None = None
    images: int | None = None
    uploads: int | None = None
    pixel_seconds: int | None = None


class Usage(Struct, frozen=True):
    """What the images of an account are together; `bytes` of their originals, alike ones counted each."""

    images: int = 0
    bytes: int = 0
