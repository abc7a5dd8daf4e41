"""Delivery links of the publisher dialect: `/flag/flag_<attachmentid>.<extension>`. Pure.

A link is plain or has a signature at its end: `?kid=<key>&sig=<signature>`.
An image with number n has two attachment ids: 2n for the original, 2n + 1 for the thumbnail. The extension
may be that of any image format: a link still opens after the image was replaced by one of another type.
"""

import re

from msgspec import Struct

from tintype.imaging import Format, Mode, Recipe, extension_fits
from tintype.model import NotFound
from tintype.web.dialect_routes import DeliveryRequest

PREFIX = "/flag"
SIGNED_FOR = "publisher"

# 18 digits always fit into the 64-bit integer of a database.
_PATH = re.compile(PREFIX + r"/flag_([1-9][0-9]{0,17})\.([A-Za-z0-9]{1,16})\Z")


class Link(Struct, frozen=True):
    """The parsed link: the number of the image, and whether it is the link to the thumbnail."""

    number: int
    extension: str
    thumbnail: bool = False

    @property
    def attachment(self) -> int:
        """The attachment id."""
        return 2 * self.number + self.thumbnail

    def delivery_request(self, side: int, max_age: int, *, signed: bool, canonical: bool) -> DeliveryRequest:
        """The delivery request. A thumbnail fits a square of `side` pixels and is never enlarged."""
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
    """Parse the path of a link. The query is ignored (our choice: clients append one to bypass their caches).

    Raises:
        NotFound: when the path is not a link, or its extension isn't that of an image.
    """
    found = _PATH.match(path)
    number, thumbnail = divmod(int(found[1]), 2) if found else (0, 0)
    if found is None or number < 1 or not any(extension_fits(format, found[2]) for format in Format):
        raise NotFound("There is no such attachment.")
    return Link(number, found[2], bool(thumbnail))
