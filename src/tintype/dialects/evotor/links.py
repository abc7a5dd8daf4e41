"""Delivery links of the evotor dialect: `/images/<image, 22 characters>/<version>/<key>/<signature>`. Pure.

They open without any header, do not expire, and deliver the original as it came.
"""

import re
from uuid import UUID

from msgspec import Struct

from tintype.core.runtime.signing import Signature
from tintype.model import Error, Kind
from tintype.model.ids import parse_short, short
from tintype.web.dialect_routes import DeliveryRequest

PREFIX = "/images"

_SIGNED_FOR = "evotor"

_PATH = re.compile(
    PREFIX + r"/([A-Za-z0-9_-]{22})/([1-9][0-9]{0,8})/([A-Za-z0-9_-]{1,64})/([A-Za-z0-9_-]{43})\Z"
)


class Link(Struct, frozen=True):
    """What a link says."""

    image: UUID
    version: int

    def parts(self) -> tuple[str, ...]:
        """What is signed: everything that the link says, and for which dialect."""
        return _SIGNED_FOR, str(self.image), str(self.version)

    def requested(self, max_age: int) -> DeliveryRequest:
        """What has to be delivered."""
        return DeliveryRequest(self.image, version=self.version, max_age=max_age)


def write(link: Link, signature: Signature) -> str:
    """The path of a link."""
    return f"{PREFIX}/{short(link.image)}/{link.version}/{signature.key}/{signature.mac}"


def parse(target: str) -> tuple[Link, Signature]:
    """Read a link, path and query as they came, and the signature on it, which is not checked here.

    Raises:
        Error: NOT_FOUND when `write` makes no such link.
    """
    found = _PATH.match(target)
    image = parse_short(found[1]) if found else None
    if found is None or image is None:
        raise no_such_link()
    return Link(image, int(found[2])), Signature(found[3], found[4])


def no_such_link() -> Error:
    """The error for what is no link of ours: whatever was changed in one sounds alike."""
    return Error(Kind.NOT_FOUND, "There is no such image.")
