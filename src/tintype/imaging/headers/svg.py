"""SVG: the size that a file gives itself, what it embeds, and how much of everything there is in it."""

import binascii
import re
import struct
from collections.abc import Callable
from urllib.parse import unquote_to_bytes
from xml.parsers import expat

from tintype.imaging.errors import ImageRefused, damaged
from tintype.imaging.formats import HEAD_BYTES, Format, sniff
from tintype.imaging.headers import gif, jpeg, png, webp
from tintype.imaging.headers.header import Header, too_many
from tintype.imaging.source import Buffer

LENGTH = re.compile(r"\s*\+?([0-9]{1,9}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})\s*([a-z]*)\s*\Z", re.IGNORECASE)
NUMBERS = re.compile(r"[\s,]+")
# CSS Values 4, 6.2, at 96 to the inch; `em` and `ex` as browsers take them where nothing is said.
UNITS = {"": 1, "px": 1, "in": 96, "cm": 96 / 2.54, "mm": 96 / 25.4, "q": 96 / 101.6, "pt": 96 / 72, "pc": 16}
UNITS |= {"em": 16, "rem": 16, "ex": 8}
DEFAULT_SIZE = (300.0, 150.0)  # CSS 2.2, 10.3.2: what replaced elements without a size have

MAX_ELEMENTS = 100_000
"""Each takes some 2 kB while it is drawn: 300,000 took 650 MB, and 11 s."""
MAX_DEPTH = 200
"""Of elements in one another. librsvg stops at 256, and the filter before it indents lines for each."""
MAX_EMBEDDED_PIXELS, EMBEDDED_BYTES = 50_000_000, 10
"""Of all embedded pictures together; librsvg takes 9 bytes a pixel of them, however small they are drawn."""
STRIPPED_CHARACTERS = str.maketrans("", "", "\t\n\r")  # of an address, URL Standard 4.4
SCHEME = "data:"
BASE64 = re.compile(r";\s*base64\s*\Z", re.IGNORECASE)
EMBEDDED_HEADERS: dict[Format, Callable[[Buffer], Header]] = {
    Format.PNG: png.header,
    Format.JPEG: jpeg.header,
    Format.GIF: gif.header,
    Format.WEBP: webp.header,
}


def header(data: Buffer) -> Header:
    """The size in pixels (SVG 2, 8.2 and 8.12): as said, else by the view box, else 300 by 150.

    Raises:
        ImageRefused: damaged, where there is no such element or nothing to be seen of it; too costly.
    """
    scanner = SvgScanner(bytes(data))
    width, height = _size(scanner.root)
    return Header(
        width=width,
        height=height,
        has_alpha=True,
        bands=4,
        whole_pixels=width * height,
        buffer_bytes=scanner.embedded * EMBEDDED_BYTES,
        file_bytes=len(data),
    )


class SvgScanner:
    """What is in the file, counted in one pass; expat itself bounds what entities may grow to.

    Attributes:
        root: the attributes of the root element.
        embedded: the pixels of all embedded pictures.
    """

    def __init__(self, data: bytes) -> None:
        self.root: dict[str, str] | None = None
        self.embedded = 0
        self._depth = self._elements = 0
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._started
        parser.EndElementHandler = self._ended
        try:
            parser.Parse(data, True)  # noqa: FBT003  expat takes it by position only
        except (expat.ExpatError, ValueError, LookupError):
            raise damaged() from None

    def _started(self, name: str, attributes: dict[str, str]) -> None:
        if self.root is None:
            if name.rpartition(":")[2] != "svg":
                raise damaged()
            self.root = attributes
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH:
            raise too_many("elements in one another", MAX_DEPTH)
        if self._elements > MAX_ELEMENTS:
            raise too_many("elements", MAX_ELEMENTS)
        for value in attributes.values():
            self._embed(value.translate(STRIPPED_CHARACTERS).strip())

    def _ended(self, _: str) -> None:
        self._depth -= 1

    def _embed(self, address: str) -> None:
        if address[: len(SCHEME)].lower() != SCHEME:
            return
        self.embedded += _embedded_pixels(address)
        if self.embedded > MAX_EMBEDDED_PIXELS:
            raise too_many("embedded pixels", MAX_EMBEDDED_PIXELS)


def _embedded_pixels(address: str) -> int:
    """The pixels of a picture in a `data:` address (Fetch Standard, 6); 0 of what isn't one that is drawn."""
    media, comma, body = address.partition(",")
    if not comma:
        return 0
    data = unquote_to_bytes(body)
    try:
        data = binascii.a2b_base64(data) if BASE64.search(media) else data
        read = EMBEDDED_HEADERS.get(sniff(data[:HEAD_BYTES]) or Format.SVG)
        header = read(data) if read else None
    except (ImageRefused, ValueError, IndexError, struct.error):
        return 0
    return header.width * header.height * header.frames if header else 0


def _size(root: dict[str, str] | None) -> tuple[int, int]:
    if root is None:
        raise damaged()
    width, height = _length(root.get("width", "")), _length(root.get("height", ""))
    box = _view_box(root.get("viewBox", ""))
    if width is None and height is None:
        width, height = box or DEFAULT_SIZE
    elif width is None or height is None:
        box_width, box_height = box or DEFAULT_SIZE
        if box:
            width, height = _complete_size(width, height, box_width / box_height)
        else:
            width, height = width or box_width, height or box_height
    if not width or not height:
        raise damaged()
    return max(1, round(width)), max(1, round(height))


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


def _complete_size(width: float | None, height: float | None, aspect: float) -> tuple[float, float]:
    """Both sides, from the one that is known."""
    if width is not None:
        return width, width / aspect
    height = height or 0.0
    return height * aspect, height
