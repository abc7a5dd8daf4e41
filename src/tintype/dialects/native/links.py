"""Delivery links of the native dialect, all signed. Pure.

`/v1/media/<id, 22 characters>?v=1&mode=fit&w=200&h=150&exp=1798761600&kid=1f2e3d4c&sig=<43 characters>`
"""

import re
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from tintype.core.sign import Signature
from tintype.imaging import Mode, Recipe
from tintype.model import Error, Kind
from tintype.model.ids import parse_short, short
from tintype.web.mount import Query, Wanted

PREFIX = "/v1/media"

_NUMBER = re.compile(r"[1-9][0-9]{0,17}\Z")
_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_MAC = re.compile(r"[A-Za-z0-9_-]{43}\Z")


class Link(Struct, frozen=True):
    """What a link says.

    Attributes:
        image: the image.
        version: the version that the link was made for.
        mode: how the picture meets its sides; None: the original, which has no sides.
        width: in pixels.
        height: in pixels.
        expires: Unix time, in seconds, from which on the link opens nothing; None: never.
    """

    image: UUID
    version: int
    mode: Mode | None = None
    width: int | None = None
    height: int | None = None
    expires: int | None = None

    def parts(self) -> tuple[str, ...]:
        """What is signed: the dialect and every field."""
        told = (self.image, self.version, self.mode, self.width, self.height, self.expires)
        return ("native", *("" if part is None else str(part) for part in told))

    def wanted(self, max_age: int, now: datetime) -> Wanted:
        """What has to be delivered; nobody keeps it for longer than the link lives.

        Raises:
            Error: EXPIRED_LINK.
        """
        left = max_age if self.expires is None else self.expires - int(now.timestamp())
        if self.expires is not None and left <= 0:
            raise Error(Kind.EXPIRED_LINK, "This link has expired.")
        recipe = None if self.mode is None else Recipe(mode=self.mode, width=self.width, height=self.height)
        shared = self.expires is None
        return Wanted(self.image, recipe, version=self.version, max_age=min(max_age, left), shared=shared)


def write(link: Link, signature: Signature) -> str:
    """The path and query of a link; what is absent is left out."""
    told = (
        ("v", link.version),
        ("mode", link.mode),
        ("w", link.width),
        ("h", link.height),
        ("exp", link.expires),
        ("kid", signature.key),
        ("sig", signature.mac),
    )
    query = "&".join(f"{name}={value}" for name, value in told if value is not None)
    return f"{PREFIX}/{short(link.image)}?{query}"


def parse(path: str, query: Query) -> tuple[Link, Signature]:
    """Read a link and its signature, which is still to be checked. Unknown parameters are overlooked.

    Raises:
        Error: MISSING when the path names no image; FORBIDDEN when the query is none of a link of ours.
    """
    image = parse_short(path.removeprefix(PREFIX + "/"))
    if image is None:
        raise Error(Kind.MISSING, "There is no such image.")
    link = Link(
        image,
        version=int(_text(query, "v", _NUMBER)),
        mode=_mode(query),
        width=_number(query, "w"),
        height=_number(query, "h"),
        expires=_number(query, "exp"),
    )
    return link, Signature(_text(query, "kid", _KEY), _text(query, "sig", _MAC))


def forged() -> Error:
    """The error for a link that we did not sign like this."""
    return Error(Kind.FORBIDDEN, "This link was not signed by this service, or was changed since.")


def _number(query: Query, name: str) -> int | None:
    return int(_text(query, name, _NUMBER)) if name in query else None


def _mode(query: Query) -> Mode | None:
    if "mode" not in query:
        return None
    try:
        return Mode(query["mode"])
    except ValueError:
        raise forged() from None


def _text(query: Query, name: str, form: re.Pattern[str]) -> str:
    text = query.get(name, "")
    if not form.match(text):
        raise forged()
    return text
