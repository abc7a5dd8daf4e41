"""SVG: the size that a file gives itself, from its root element alone; and the drawing, by librsvg."""

import re
from xml.etree import ElementTree as ET
from xml.parsers import expat

import pyvips

from tintype.imaging.errors import damaged
from tintype.imaging.packages import reading

NAMESPACE = "http://www.w3.org/2000/svg"
EMBEDDED = {"image": ["png", "jpeg", "gif", "webp"]}

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


def read(data: bytes, *, scale: float = 1.0) -> pyvips.Image:
    """The picture (RGBA), drawn in memory at so many times its own size.

    What isn't known to be harmless is left out first: scripts, links, references to anything outside.

    Raises:
        ImageRefused: damaged, too costly.
    """
    import py_svg_hush  # noqa: PLC0415  an extra

    width, height = size(data)
    drawn = (max(1, round(width * scale)), max(1, round(height * scale)))
    with reading():
        clean = py_svg_hush.filter_svg(data, EMBEDDED)
        return pyvips.Image.svgload_buffer(_framed(clean, (width, height), drawn)).copy_memory()


def open_fonts() -> None:
    """Draw a letter in each of the fonts that stand in for others, so that they are open from then on."""
    letters = "".join(
        f'<text y="9" font-family="{family}" font-weight="{weight}" font-style="{style}">Aa</text>'
        for family in ("sans-serif", "serif", "monospace")
        for weight in ("normal", "bold")
        for style in ("normal", "italic")
    )
    page = f'<svg xmlns="{NAMESPACE}" width="9" height="9">{letters}</svg>'
    pyvips.Image.svgload_buffer(page.encode()).avg()


def _framed(clean: bytes, size: tuple[int, int], drawn: tuple[int, int]) -> bytes:
    """The picture at its own size, within one of the size asked for, so that it fills that to the edge."""
    inner = ET.fromstring(clean)  # noqa: S314  what came from the filter has no document type any more
    if "viewBox" not in inner.attrib:
        inner.set("viewBox", f"0 0 {size[0]} {size[1]}")
    inner.set("width", str(size[0]))
    inner.set("height", str(size[1]))
    told = {"width": str(drawn[0]), "height": str(drawn[1]), "viewBox": f"0 0 {size[0]} {size[1]}"}
    outer = ET.Element(f"{{{NAMESPACE}}}svg", told, preserveAspectRatio="none")
    outer.append(inner)
    return ET.tostring(outer)


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
