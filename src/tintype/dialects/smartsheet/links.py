"""Delivery links of the smartsheet dialect: signed and expiring. Pure.

`/storageProxy/image/images/<id>?v=1&w=200&h=150&exp=<unix ms>&kid=<key>&sig=<signature>`; without `w` and
`h` it is the original, byte for byte.
"""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

from msgspec import Struct

from tintype.core.runtime.signing import Signature
from tintype.imaging import Mode, Recipe, plan
from tintype.model import Error, Kind, LinkTarget
from tintype.model.ids import parse_short, short
from tintype.web.dialect_routes import DeliveryRequest, Query, RequestTarget

PREFIX = "/storageProxy/image/images"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_SIGNED_FOR = "smartsheet"

# One spelling for each number: a link can't be written in two ways.
_NUMBER = re.compile(r"[1-9][0-9]{0,14}\Z")


class Size(Struct, frozen=True):
    """Two sides in pixels."""

    width: int
    height: int


class Link(Struct, frozen=True):
    """What a link says. `expires` is a moment in milliseconds since 1970 UTC; no size is the original."""

    image: UUID
    version: int
    expires: int
    size: Size | None = None

    def parts(self) -> tuple[str, ...]:
        """What is signed: everything that the link says, and for which dialect."""
        sides = ("", "") if self.size is None else (str(self.size.width), str(self.size.height))
        return _SIGNED_FOR, short(self.image), str(self.version), *sides, str(self.expires)

    def requested(self, now: datetime) -> DeliveryRequest:
        """What has to be delivered, to this client alone, and kept no longer than the link lives.

        Raises:
            Error: EXPIRED_LINK from the very millisecond of the expiry on.
        """
        left = self.expires - milliseconds(now)
        if left <= 0:
            raise Error(Kind.EXPIRED_LINK, "The link has expired.")
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
    """Whole milliseconds since 1970 UTC."""
    return (moment - _EPOCH) // _MILLISECOND


def expiry(now: datetime, seconds: int) -> int:
    """When a link made now expires, which is to live so long or a thirtieth longer.

    Links made within that thirtieth are the same, and so a browser that has the picture keeps it.
    """
    step = max(1, seconds * 1000 // 30)
    return -(-(milliseconds(now) + seconds * 1000) // step) * step


def sized(version: LinkTarget, width: int | None, height: int | None) -> Size | None:
    """The size a picture is delivered in when these sides are asked; None is the original.

    Both sides are met exactly, aspect or not; one keeps the aspect. Nothing is ever enlarged: more than the
    image has on either side is its actual size (ours for one side: the vendor speaks of both).
    """
    if (width or 1) > version.width or (height or 1) > version.height:
        return None
    if width is not None and height is not None:
        size = Size(width, height)
        return None if size == Size(version.width, version.height) else size
    planned = plan(version.width, version.height, Recipe(mode=Mode.SCALE, width=width, height=height))
    size = Size(planned.width, planned.height)
    return None if size == Size(version.width, version.height) else size


def write(link: Link, signature: Signature) -> str:
    """The path and query of a link."""
    sides = "" if link.size is None else f"&w={link.size.width}&h={link.size.height}"
    signed = f"exp={link.expires}&kid={signature.key}&sig={signature.mac}"
    return f"{PREFIX}/{short(link.image)}?v={link.version}{sides}&{signed}"


def parse(target: RequestTarget) -> tuple[Link, Signature]:
    """Read a link and the signature on it, which is not checked here.

    Raises:
        Error: FORBIDDEN unless it is to the letter what `write` makes: whatever was changed sounds alike.
    """
    image, query = parse_short(target.path.removeprefix(PREFIX + "/")), target.query()
    if image is None:
        raise _no_link()
    link = Link(image, _number(query, "v"), _number(query, "exp"), _size(query))
    signature = Signature(query.get("kid", ""), query.get("sig", ""))
    if write(link, signature) != target.text:
        raise _no_link()
    return link, signature


def _size(query: Query) -> Size | None:
    if "w" not in query and "h" not in query:
        return None
    return Size(_number(query, "w"), _number(query, "h"))


def _number(query: Query, name: str) -> int:
    text = query.get(name, "")
    if not _NUMBER.match(text):
        raise _no_link()
    return int(text)


def _no_link() -> Error:
    return Error(Kind.FORBIDDEN, "This is not a link as it was given out.")
