"""Delivery links of the mews dialect: `/Media/Image/<id>?Mode=Fit&Width=200&Height=150`. Pure.

A link is plain or has a signature at its end. Plain links that clients build by hand may have path, names and
modes in any case.
"""

import re
from uuid import UUID

from msgspec import Struct

from tintype.imaging import Mode, Recipe
from tintype.model import InvalidField
from tintype.model.ids import parse_uuid
from tintype.web.dialect_routes import DeliveryRequest, RequestTarget
from tintype.web.errors import no_such_path

PREFIX = "/Media/Image"
SIGNED_FOR = "mews"

_NAMES = {
    Mode.SCALE: "Scale",
    Mode.COVER: "Cover",
    Mode.COVER_EXACT: "CoverExact",
    Mode.FIT: "Fit",
    Mode.FIT_EXACT: "FitExact",
}
MODES: dict[str, Mode] = {name: mode for mode, name in _NAMES.items()} | {
    # The numbers of the vendor's booking-engine guide; there is no 2.
    "0": Mode.SCALE,
    "1": Mode.COVER,
    "3": Mode.COVER_EXACT,
    "4": Mode.FIT,
    "5": Mode.FIT_EXACT,
}
_ANY_CASE_MODES = {name.lower(): mode for name, mode in MODES.items()}
_NUMBER = re.compile(r"[0-9]{1,9}\Z")
_ALTERING = re.compile(
    r"[whsq]|wh|mw|mh|sz|dpr|dim|fm|fmt|format|quality|crop|fit|cover|zoom|aspect|ratio|rotate|thumb|thumbnail"
    r"|[\w.-]{0,20}(?:width|height|size|scale|dimension)[\w.-]{0,20}",
    re.ASCII,
)
"""Names, in lower case, that ask for another picture in other services' links: ignoring them would deliver a
picture that nobody asked for."""


class Link(Struct, frozen=True):
    """The parsed link. Sides are in pixels."""

    image: UUID
    mode: Mode
    width: int | None = None
    height: int | None = None

    def delivery_request(self, max_age: int, *, signed: bool, canonical: bool) -> DeliveryRequest:
        """The delivery request of this link; `max_age` is in seconds."""
        recipe = Recipe(mode=self.mode, width=self.width, height=self.height)
        return DeliveryRequest(
            self.image, recipe, max_age=max_age, unsigned=not signed, any_size=not signed, canonical=canonical
        )


def write(link: Link) -> str:
    """The path and query of a link, without the sides that are None."""
    return write_prefix(link.image) + write_suffix(_NAMES[link.mode], link.width, link.height)


def write_prefix(image: UUID) -> str:
    """The beginning that all links to an image have in common."""
    return f"{PREFIX}/{image}?Mode="


def write_suffix(mode: str, width: int | None, height: int | None) -> str:
    """The rest of a link: the mode as it is spelled in links, and the sides."""
    if width is None:
        return mode if height is None else f"{mode}&Height={height}"
    return f"{mode}&Width={width}" if height is None else f"{mode}&Width={width}&Height={height}"


def parse(target: RequestTarget) -> Link:
    """Parse a link whose signature is already removed.

    The default mode is Fit, which never distorts (our choice: the vendor has no rule).

    Raises:
        NotFound: when the path has no image id.
        InvalidField: when a parameter is not valid, or an unknown one seems to ask for another picture.
    """
    query = {name.lower(): value for name, value in target.query().items()}
    image = _image(target.path)
    mode = _ANY_CASE_MODES.get((query.pop("mode", "") or "Fit").lower())
    if mode is None:
        raise _invalid("Mode")
    link = Link(image, mode, _side("Width", query.pop("width", "")), _side("Height", query.pop("height", "")))
    for name in query:
        if _ALTERING.fullmatch(name):
            raise _invalid(name)
    return link


def _image(path: str) -> UUID:
    start = len(PREFIX) + 1
    image = parse_uuid(path[start:]) if path[:start].lower() == f"{PREFIX}/".lower() else None
    if image is None:
        raise no_such_path()
    return image


def _side(name: str, text: str) -> int | None:
    if not text:
        return None
    if not _NUMBER.match(text) or int(text) < 1:
        raise _invalid(name)
    return int(text)


def _invalid(name: str) -> InvalidField:
    return InvalidField(name, f"Invalid {name}.")
