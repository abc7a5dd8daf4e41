"""Delivery links of the smartsheet dialect: signed and expiring. Pure.

`/storageProxy/image/images/<id>?v=1&w=200&h=150&exp=<unix ms>&kid=<key>&sig=<signature>`; without `w` and
`h` it delivers the original, byte for byte.
"""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

from msgspec import Struct

from tintype.core.runtime.signing import Signature
from tintype.core.runtime.unsigned_limits import UnsignedLimits
from tintype.imaging import Mode, Recipe, plan
from tintype.model import Error, ExpiredLink, Forbidden, LinkTarget
from tintype.model.ids import parse_short, short
from tintype.web.dialect_routes import DeliveryRequest, RequestTarget
from tintype.web.query import Query

PREFIX = "/storageProxy/image/images"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_SIGNED_FOR = "smartsheet"

# One spelling for each number, so that a link can't be written in two ways.
_NUMBER = re.compile(r"[1-9][0-9]{0,14}\Z")


class Size(Struct, frozen=True):
    """Width and height in pixels."""

    width: int
    height: int


class Link(Struct, frozen=True):
    """The parsed link. `expires` is Unix time in milliseconds; without a size it is the original."""

    image: UUID
    version: int
    expires: int
    size: Size | None = None

    def parts(self) -> tuple[str, ...]:
        """The signed values: the dialect, and every value in the link."""
        sides = ("", "") if self.size is None else (str(self.size.width), str(self.size.height))
        return _SIGNED_FOR, short(self.image), str(self.version), *sides, str(self.expires)

    def delivery_request(self, now: datetime) -> DeliveryRequest:
        """The delivery request. Only private caches may store the response, until the link expires.

        Raises:
            ExpiredLink: when `expires` is reached.
        """
        left = self.expires - milliseconds(now)
        if left <= 0:
            raise ExpiredLink("The link has expired.")
        recipe = None
        if self.size is not None:
            recipe = Recipe(mode=Mode.SCALE, width=self.size.width, height=self.size.height)
        return DeliveryRequest(
            self.image,
            recipe,
            version=self.version,
            max_age=left // 1000,
            public=False,
            expires=self.expires / 1000,
        )


def milliseconds(moment: datetime) -> int:
    """Unix time in milliseconds, rounded down."""
    return (moment - _EPOCH) // _MILLISECOND


def expiry(now: datetime, seconds: int) -> int:
    """Unix time in milliseconds when a link made now expires: after `seconds`, or up to a thirtieth later.

    The time is rounded up so that links made within that thirtieth are equal, which helps browser caches.
    """
    step = max(1, seconds * 1000 // 30)
    return -(-(milliseconds(now) + seconds * 1000) // step) * step


def delivered_size(
    target: LinkTarget, width: int | None, height: int | None, limits: UnsignedLimits
) -> Size | None:
    """The size of the rendition for the requested sides in pixels; None: the original.

    Two sides are used exactly, even if they change the aspect ratio; one side keeps it. Nothing is enlarged:
    if either side is larger than the image's, the original is delivered (the vendor defines this for two
    sides only).

    Raises:
        Invalid: when the rendition can't be made.
    """
    if (width or 1) > target.width or (height or 1) > target.height:
        return None
    if (width or target.width) == target.width and (height or target.height) == target.height:
        return None
    recipe = Recipe(mode=Mode.SCALE, width=width, height=height)
    limits.require(target, recipe)
    if width is not None and height is not None:
        return Size(width, height)
    planned = plan(target.width, target.height, limits.fit(target, recipe))
    size = Size(planned.width, planned.height)
    return None if size == Size(target.width, target.height) else size


def write(link: Link, signature: Signature) -> str:
    """The path and query of a link."""
    sides = "" if link.size is None else f"&w={link.size.width}&h={link.size.height}"
    signed = f"exp={link.expires}&kid={signature.key}&sig={signature.mac}"
    return f"{PREFIX}/{short(link.image)}?v={link.version}{sides}&{signed}"


def parse(target: RequestTarget) -> tuple[Link, Signature]:
    """Parse a link into its values and its signature, which is not verified here.

    Raises:
        Forbidden: when the link is not exactly what `write` produces.
    """
    image, query = parse_short(target.path.removeprefix(PREFIX + "/")), target.query()
    if image is None:
        raise _invalid_link()
    link = Link(image, _number(query, "v"), _number(query, "exp"), _size(query))
    signature = Signature(query.get("kid", ""), query.get("sig", ""))
    if write(link, signature) != target.text:
        raise _invalid_link()
    return link, signature


def _size(query: Query) -> Size | None:
    if "w" not in query and "h" not in query:
        return None
    return Size(_number(query, "w"), _number(query, "h"))


def _number(query: Query, name: str) -> int:
    text = query.get(name, "")
    if not _NUMBER.match(text):
        raise _invalid_link()
    return int(text)


def _invalid_link() -> Error:
    return Forbidden("This is not a link as it was given out.")
