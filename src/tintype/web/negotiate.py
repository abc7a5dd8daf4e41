"""Content negotiation: the media type that a client prefers (RFC 9110, 12.5.1)."""

import re
from collections.abc import Sequence

from msgspec import Struct

_DECIMAL = re.compile(r"[0-9]{1,9}(?:\.[0-9]{0,9})?\Z")


class _Range(Struct, frozen=True):
    main: str
    sub: str
    quality: float

    def fits(self, main: str, sub: str) -> bool:
        return self.main in {"*", main} and self.sub in {"*", sub}

    def precision(self) -> int:
        return (self.main != "*") + (self.sub != "*")


def preferred(accept: str, offers: Sequence[str]) -> str | None:
    """The offer with the highest quality; among equals the first offered; None if none is acceptable.

    No header, or an empty one, accepts everything. The most precise range that fits an offer decides
    its quality. What is not a media range is ignored.
    """
    ranges = [found for found in map(_range, accept.split(",")) if found is not None]
    if not accept.strip():
        return offers[0]
    best = max(offers, key=lambda offer: _quality(ranges, offer))
    return best if _quality(ranges, best) > 0 else None


def _quality(ranges: Sequence[_Range], offer: str) -> float:
    main, sub = offer.split("/")
    fitting = [each for each in ranges if each.fits(main, sub)]
    return max(fitting, key=_Range.precision).quality if fitting else 0.0


def _range(text: str) -> _Range | None:
    media, *parameters = (part.strip().lower() for part in text.split(";"))
    main, slash, sub = media.partition("/")
    if not slash or not main or not sub:
        # Some clients send a lone star for */*.
        return _Range("*", "*", 1.0) if media == "*" else None
    return _Range(main, sub, _weight(parameters))


def _weight(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            return min(1.0, float(value)) if _DECIMAL.match(value.strip()) else 0.0
    return 1.0
