"""Quotas of accounts, and their usage."""

from msgspec import Struct


class Quotas(Struct, frozen=True):
    """Limits on what an account may store and use; 0: no limit.

    Attributes:
        bytes: total size of originals.
        images: number of images.
        uploads: uploads at the same time.
        pixel_seconds: seconds of render slots per minute.
    """

    bytes: int
    images: int
    uploads: int
    pixel_seconds: int


class QuotaOverrides(Struct, frozen=True):
    """Quotas set for one account; None is the default in the settings."""

    bytes: int | None = None
    images: int | None = None
    uploads: int | None = None
    pixel_seconds: int | None = None


class Usage(Struct, frozen=True):
    """Totals of an account's images; `bytes` counts the original of each image, even if several share one."""

    images: int = 0
    bytes: int = 0
