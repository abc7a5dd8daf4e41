"""Through which dialects the images of an account are delivered."""

from collections.abc import Mapping
from enum import StrEnum


class Links(StrEnum):
    """What the links of a dialect are: plain, so that anybody can write them, or signed by this service."""

    PLAIN = "plain"
    SIGNED = "signed"


Publications = Mapping[str, Links | None]
"""The dialects that an account publishes through, each with what its links are; None: as the settings say."""
