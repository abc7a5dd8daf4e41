"""SVG: the size that a file gives itself, from its root element alone."""

import re
from xml.parsers import expat

from tintype.imaging.errors import damaged

LENGTH = re.compile(r"\s*\+?([0-9]{1,9}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})\s*([a-z]*)\s*\Z", re.IGNORECASE)
NUMBERS = re.compile(r"[\s,]+")
# CSS Values 4, 6.2, at 96 to the inch; `em` and `ex` as browsers take them where nothing is said.
UNITS = {"": 1, "px": 1, "in": 96, "cm": 96 / 2.54, "mm": 96 / 25.4, "q": 96 / 101.6, "pt": 96 / 72, "pc": 16}
UNITS |= {"em": 16, "rem": 16, "ex": 8}
WITHOUT = (300.0, 150.0)  # CSS 2.2, 10.3.2: what replaced elements without a size have


def size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels (SVG 2, 8.2 and 8.12): as said, else by the view box, else 300 by 150.

    Raises ImageRefused (damaged) where there is no such element, or nothing to be seen of it.
    """
    root = _root(data)
    width, height = _length(root.get("width", "")), _length(root.get("height", ""))
    box = _view_box(root.get("viewBox", ""))
    if width is None and height is None:
        width, height = box or WITHOUT
    elif width is None or height is None:
        across, down = box or WITHOUT
        width, height = _other(width, height, across / down) if box else (width or across, height or down)
    if not width or not height:
        raise damaged()
    return max(1, round(width)), max(1, round(height))


def _root(data: bytes) -> dict[str, str]:
    """The attributes of the root element; expat itself bounds what entities may grow to."""
    found: list[dict[str, str]] = []
    parser = expat.ParserCreate()

    def started(name: str, attributes: dict[str, str]) -> None:
        found.append(attributes if name.rpartition(":")[2] == "svg" else {"width": "0"})
        raise _RootSeenError

    parser.StartElementHandler = started
    try:
        parser.Parse(data, True)  # noqa: FBT003  expat takes it by position only
    except _RootSeenError:
        return found[0]
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise damaged() from error
    raise damaged()


class _RootSeenError(Exception):
    """Nothing more is to be read."""


def _length(text: str) -> float | None:
    """Pixels; None for what is relative to a page, such as `100%`."""
    found = LENGTH.match(text)
    unit = UNITS.get(found[2].lower()) if found else None
    return None if found is None or unit is None else float(found[1]) * unit


def _view_box(text: str) -> tuple[float, float] | None:
    numbers = NUMBERS.split(text.strip())
    sides = [_length(number) for number in numbers[2:]] if len(numbers) == 4 else []  # noqa: PLR2004  x, y and sides
    match sides:
        case [float(width), float(height)] if width and height:
            return width, height
    return None


def _other(width: float | None, height: float | None, aspect: float) -> tuple[float, float]:
    """Both sides, from the one that is known."""
    if width is not None:
        return width, width / aspect
    height = height or 0.0
    return height * aspect, height
