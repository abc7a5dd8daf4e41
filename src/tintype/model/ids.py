"""Spellings of ids: an image id is a UUID, or 22 base64url characters of the same 16 bytes."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

_UUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\Z")
_HYPHENATED = re.compile(r"[0-9a-zA-Z]{8}-(?:[0-9a-zA-Z]{4}-){3}[0-9a-zA-Z]{12}\Z")
_SHORT = re.compile(r"[A-Za-z0-9_-]{21}[AQgw]\Z")


def parse_uuid(text: str) -> UUID | None:
    """The UUID written in `text`, with or without hyphens, in either case; None if it is not a UUID."""
    return UUID(text) if _UUID.match(text) else None


def fold_uuid(id: str) -> str:
    """The key by which an id of a client is compared: in lower case if it looks like a UUID, else unchanged.

    RFC 9562, 4: the case of a UUID has no meaning. Its hyphens are required here, and its digits may be any
    letters: some clients have ids like `gd68f8d5-…`.
    """
    return id.lower() if _HYPHENATED.match(id) else id


def short(id: UUID) -> str:
    """The 22 base64url characters of a UUID."""
    return urlsafe_b64encode(id.bytes).rstrip(b"=").decode()


def parse_short(text: str) -> UUID | None:
    """Decode 22 base64url characters into a UUID; None unless they are a canonical encoding.

    The last character holds two bits of the id and four that must be zero, so it can only be A, Q, g
    or w: every id has exactly one short form.
    """
    return UUID(bytes=urlsafe_b64decode(text + "==")) if _SHORT.match(text) else None
