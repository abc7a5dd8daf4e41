"""Delivery links of the mews dialect: `/Media/Image/<id>?Mode=Fit&Width=200&Height=150`. Pure.

Plain, or with a signature behind them.
"""

import re
from uuid import UUID

from msgspec import Struct

from tintype.imaging import Mode, Recipe
from tintype.model import Error, Kind
from tintype.model.ids import parse_uuid
from tintype.web.dialect_routes import DeliveryRequest, Query, RequestTarget

PREFIX = "/Media/Image"
SIGNED_FOR = "mews"

_NAMES = {
    Mode.SCALE: "Scale",
    Mode.COVER: "Cover",
    Mode.COVER_EXACT: "CoverExact",
    Mode.FIT: "Fit",
    Mode.FIT_EXACT: "FitExact",
}
MODES = {name: mode for mode, name in _NAMES.items()} | {
    # The numbers of the vendor's booking-engine guide; there is no 2.
    "0": Mode.SCALE,
    "1": Mode.COVER,
    "3": Mode.COVER_EXACT,
    "4": Mode.FIT,
    "5": Mode.FIT_EXACT,
}
_NUMBER = re.compile(r"[0-9]{1,9}\Z")


class Link(Struct, frozen=True):
    """What a link says. Sides are pixels."""

    image: UUID
    mode: Mode
    width: int | None = None
    height: int | None = None

    def requested(self, max_age: int, *, signed: bool, canonical: bool) -> DeliveryRequest:
        """What has to be delivered."""
        recipe = Recipe(mode=self.mode, width=self.width, height=self.height)
        return DeliveryRequest(
            self.image, recipe, max_age=max_age, unsigned=not signed, any_size=not signed, canonical=canonical
        )


def write(link: Link) -> str:
    """The path and query of a link; an absent side is left out."""
    return begin(link.image) + end(_NAMES[link.mode], link.width, link.height)


def begin(image: UUID) -> str:
    """What all links to an image begin with."""
    return f"{PREFIX}/{image}?Mode="


def end(mode: str, width: int | None, height: int | None) -> str:
    """What follows in a link: the mode as links spell it, and the sides."""
    if width is None:
        return mode if height is None else f"{mode}&Height={height}"
    return f"{mode}&Width={width}" if height is None else f"{mode}&Width={width}&Height={height}"


def parse(target: RequestTarget) -> Link:
    """Read a link, its signature taken off.

    Without a mode it is Fit, which never distorts (ours: the vendor does not say).

    Raises:
        Error: NOT_FOUND when the path names no image, INVALID with the parameter at fault.
    """
    image, query = parse_uuid(target.path.removeprefix(PREFIX + "/")), target.query()
    if image is None:
        raise Error(Kind.NOT_FOUND)
    mode = MODES.get(query.get("Mode") or "Fit")
    if mode is None:
        raise Error(Kind.INVALID, field="Mode")
    return Link(image, mode, _side(query, "Width"), _side(query, "Height"))


def _side(query: Query, name: str) -> int | None:
    text = query.get(name)
    if not text:
        return None
    if not _NUMBER.match(text) or int(text) < 1:
        raise Error(Kind.INVALID, field=name)
    return int(text)
