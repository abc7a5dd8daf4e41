"""Delivery links of the thumbs dialect: `/thumbs/200x150/<image, 22 characters>`. Pure.

The picture fits a box of that size, and is not enlarged. A link is plain or has a signature at its end.
"""

import re
from uuid import UUID

from msgspec import Struct

from tintype.imaging import Mode, Recipe
from tintype.model import no_such_image
from tintype.model.ids import parse_short, short
from tintype.web.dialect_routes import RequestTarget

PREFIX = "/thumbs"
SIGNED_FOR = "thumbs"

_PATH = re.compile(PREFIX + r"/([1-9][0-9]{0,4})x([1-9][0-9]{0,4})/([A-Za-z0-9_-]{22})\Z")


class Link(Struct, frozen=True):
    """The parsed link. Sides are in pixels."""

    image: UUID
    width: int
    height: int

    def recipe(self) -> Recipe:
        """How the picture is made."""
        return Recipe(mode=Mode.FIT, width=self.width, height=self.height, enlarge=False)


def write(link: Link) -> str:
    """The path of a link."""
    return f"{PREFIX}/{link.width}x{link.height}/{short(link.image)}"


def parse(target: RequestTarget) -> Link:
    """Parse a link whose signature is already removed. The query is ignored.

    Raises:
        NotFound: when the path is not a link.
    """
    found = _PATH.match(target.path)
    image = parse_short(found[3]) if found else None
    if found is None or image is None:
        raise no_such_image()
    return Link(image, int(found[1]), int(found[2]))
