"""Delivery links of the evotor dialect: `/images/<image, 22 characters>/<version>/<key>/<signature>`. Pure.

They need no header, do not expire, and deliver the original unchanged.
"""

import re
from uuid import UUID

from msgspec import Struct

from tintype.core.runtime.signing import Signature
from tintype.model import no_such_image
from tintype.model.ids import parse_short, short
from tintype.web.dialect_routes import DeliveryRequest

PREFIX = "/images"

_SIGNED_FOR = "evotor"

_PATH = re.compile(
    PREFIX + r"/([A-Za-z0-9_-]{22})/([1-9][0-9]{0,8})/([A-Za-z0-9_-]{1,64})/([A-Za-z0-9_-]{43})\Z"
)


class Link(Struct, frozen=True):
    """The parsed link."""

    image: UUID
    version: int

    def parts(self) -> tuple[str, ...]:
        """The signed values: the dialect, and every value in the link."""
        return _SIGNED_FOR, str(self.image), str(self.version)

    def delivery_request(self, max_age: int) -> DeliveryRequest:
        """The delivery request of this link; `max_age` is in seconds."""
        return DeliveryRequest(self.image, version=self.version, max_age=max_age)


def write(link: Link, signature: Signature) -> str:
    """The path of a link."""
    return f"{PREFIX}/{short(link.image)}/{link.version}/{signature.key}/{signature.mac}"


def parse(target: str) -> tuple[Link, Signature]:
    """Parse a link (path and query, unchanged) into its values and its signature, which is not verified here.

    Raises:
        NotFound: when the link is not one that `write` can produce.
    """
    found = _PATH.match(target)
    image = parse_short(found[1]) if found else None
    if found is None or image is None:
        raise no_such_image()
    return Link(image, int(found[2])), Signature(found[3], found[4])
