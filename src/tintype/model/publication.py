"""The dialects through which an account's images are delivered."""

from collections.abc import Mapping
from enum import StrEnum


class Links(StrEnum):
    """The kind of a dialect's links: plain (anyone can build one) or signed by this service."""

    PLAIN = "plain"
    SIGNED = "signed"


Publications = Mapping[str, Links | None]
"""The dialects that an account publishes through, with the kind of links; None: the default in settings."""
