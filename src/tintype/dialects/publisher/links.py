"""Delivery links of the publisher dialect: `/flag/flag_<attachmentid>.<extension>`. Pure.

Plain, or with a signature behind them: `?kid=<key>&sig=<signature>`.
An image has two attachment ids: twice its number for the original, one more for the thumbnail.
"""

import re

from msgspec import Struct

from tintype.imaging import Mode, Recipe
from tintype.model import Error, Kind
from tintype.web.dialect_routes import DeliveryRequest

PREFIX = "/flag"
SIGNED_FOR = "publisher"

# Eighteen digits: the most that are sure to fit into a database's integer.
_PATH = re.compile(PREFIX + r"/flag_([1-9][0-9]{0,17})\.([A-Za-z0-9]{1,16})\Z")


class Link(Struct, frozen=True):
    """What a link says: the image by its number, and whether its thumbnail is meant."""

    number: int
    extension: str
    thumbnail: bool = False

    @property
    def attachment(self) -> int:
        """The attachment id."""
        return 2 * self.number + self.thumbnail

    def requested(self, side: int, max_age: int, *, signed: bool, canonical: bool) -> DeliveryRequest:
        """What has to be delivered; a thumbnail fits a square of `side` pixels and is never enlarged."""
        recipe = Recipe(mode=Mode.FIT, width=side, height=side, enlarge=False) if self.thumbnail else None
        return DeliveryRequest(
            self.number,
            recipe,
            extension=self.extension,
            max_age=max_age,
            unsigned=not signed,
            canonical=canonical,
        )


def write(link: Link) -> str:
    """The path of a link."""
    return f"{PREFIX}/flag_{link.attachment}.{link.extension}"


def parse(path: str) -> Link:
    """Read the path of a link. The query says nothing (ours: clients append one to get around their caches).

    Raises:
        Error: NOT_FOUND when the path is no such link.
    """
    found = _PATH.match(path)
    number, thumbnail = divmod(int(found[1]), 2) if found else (0, 0)
    if found is None or number < 1:
        raise Error(Kind.NOT_FOUND, "There is no such attachment.")
    return Link(number, found[2], bool(thumbnail))
