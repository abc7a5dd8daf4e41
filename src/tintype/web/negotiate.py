"""Content negotiation: what a client prefers by its Accept header (RFC 9110, 12.5.1)."""

import re
from collections.abc import Iterator, Sequence

from tintype.imaging import Format, spec
from tintype.imaging.recipe.auto import MODERN

_DECIMAL = re.compile(r"[0-9]{1,9}(?:\.[0-9]{0,9})?\Z")
_MODERN = {spec(format).media_type: format for format in MODERN}

_Range = tuple[str, str]
"""A media range in lower case, and its parameters."""


def preferred(accept: str, offers: Sequence[str]) -> str | None:
    """The offer with the highest quality; among equals the first offered; None if none is acceptable.

    No header, or an empty one, accepts everything. The most precise range that fits an offer decides
    its quality. What is not a media range is ignored.
    """
    if not accept.strip():
        return offers[0]
    ranges = list(_ranges(accept))
    best = max(offers, key=lambda offer: _quality(ranges, offer))
    return best if _quality(ranges, best) > 0 else None


def modern_formats(accept: str) -> frozenset[Format]:
    """The modern formats that the header names.

    Wildcards are ignored: every browser sends one, whatever it supports. So is a format with q=0.
    """
    # A list, and no weight where none is given, as this is asked at each hit.
    return frozenset(
        [
            _MODERN[media]
            for media, parameters in _ranges(accept)
            if media in _MODERN and (not parameters or _weight(parameters) > 0)
        ]
    )


def _ranges(accept: str) -> Iterator[_Range]:
    for part in accept.lower().split(","):
        media, _, parameters = part.partition(";")
        yield media.strip(), parameters


def _quality(ranges: Sequence[_Range], offer: str) -> float:
    main = offer.partition("/")[0]
    # Some clients send a lone star for */*.
    for fitting in ((offer,), (f"{main}/*",), ("*/*", "*")):
        for media, parameters in ranges:
            if media in fitting:
                return _weight(parameters)
    return 0.0


def _weight(parameters: str) -> float:
    """The weight `q` (RFC 9110, 12.4.2), at most 1; 0 for one that is no number."""
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            # What is matched is what is converted: str.strip removes more than float ignores.
            value = value.strip(" \t")
            return min(1.0, float(value)) if _DECIMAL.match(value) else 0.0
    return 1.0
