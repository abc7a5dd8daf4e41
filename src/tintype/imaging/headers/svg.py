"""SVG: parses the size, and counts elements and embedded images."""

import binascii
import re
from collections.abc import Callable
from urllib.parse import unquote_to_bytes
from xml.parsers import expat

from tintype.imaging.errors import ImageRefused, Reason, damaged
from tintype.imaging.formats import HEAD_BYTES, Format, sniff
from tintype.imaging.headers import gif, jpeg, png, webp
from tintype.imaging.headers.header import MALFORMED, Header, too_many
from tintype.imaging.source import Buffer

# A number of CSS (Values 4, 5.3), with a fraction, an exponent, and a unit.
LENGTH = re.compile(
    r"\s*\+?((?:[0-9]{1,9}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(?:e[+-]?[0-9]{1,9})?)\s*([a-z]*)\s*\Z",
    re.IGNORECASE,
)
MAX_LENGTH = 1e9
"""A longer side counts as this long: it is above every limit on sides."""
NUMBERS = re.compile(r"[\s,]+")
# CSS Values 4, 6.2, at 96 pixels per inch; `em` and `ex` with the default font size of browsers.
UNITS = {"": 1, "px": 1, "in": 96, "cm": 96 / 2.54, "mm": 96 / 25.4, "q": 96 / 101.6, "pt": 96 / 72, "pc": 16}
UNITS |= {"em": 16, "rem": 16, "ex": 8}
DEFAULT_SIZE = (300.0, 150.0)  # CSS 2.2, 10.3.2: replaced elements without a size

MAX_ELEMENTS = 100_000
"""Each takes some 2 kB while it is drawn: 300,000 took 650 MB, and 11 s."""
MAX_DEPTH = 200
"""Maximum nesting depth. librsvg's limit is 256; the sanitiser indents lines by the depth."""
MAX_EMBEDDED_PIXELS, EMBEDDED_BYTES = 50_000_000, 10
"""Maximum pixels of all embedded images; librsvg takes 9 bytes per pixel, however small they are drawn."""
STRIPPED_CHARACTERS = str.maketrans("", "", "\t\n\r")  # removed from URLs, URL Standard 4.4
SCHEME = "data:"
BASE64 = re.compile(r"; *base64\s*\Z", re.IGNORECASE)
WHITESPACE = b"\t\n\f\r "
EMBEDDED_HEADERS: dict[Format, Callable[[Buffer], Header]] = {
    Format.PNG: png.header,
    Format.JPEG: jpeg.header,
    Format.GIF: gif.header,
    Format.WEBP: webp.header,
}


def header(data: Buffer) -> Header:
    """Parse the size in pixels (SVG 2, 8.2 and 8.12): width and height, or the view box, or 300 by 150.

    Raises:
        ImageRefused: when the root element is not `svg`, its size is 0, or it is too costly.
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
    """Scans the file once; expat itself limits the expansion of entities.

    Attributes:
        root: the attributes of the root element.
        embedded: the number of pixels of all embedded images.
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
            self._embed(clean_address(value))

    def _ended(self, _: str) -> None:
        self._depth -= 1

    def _embed(self, address: str) -> None:
        self.embedded += _embedded_pixels(address)
        if self.embedded > MAX_EMBEDDED_PIXELS:
            raise too_many("embedded pixels", MAX_EMBEDDED_PIXELS)


def clean_address(value: str) -> str:
    """The value of an attribute as an address: without the characters that URL Standard 4.4 removes."""
    return value.translate(STRIPPED_CHARACTERS).strip(" ")


def embedded(address: str) -> bytes | None:
    """The data in a `data:` URL (Fetch Standard, 6); None for any other.

    Raises:
        ValueError: when it isn't valid base64 (Infra Standard, 7): renderers don't draw it.
    """
    media, comma, body = address.partition(",")
    if not comma or media[: len(SCHEME)].lower() != SCHEME:
        return None
    data = unquote_to_bytes(body.partition("#")[0])
    if not BASE64.search(media):
        return data
    data = data.translate(None, WHITESPACE)
    padding = b"" if b"=" in data else b"=" * (-len(data) % 4)
    return binascii.a2b_base64(data + padding, strict_mode=True)


def _embedded_pixels(address: str) -> int:
    """The number of pixels of an image in a `data:` URL; 0 if it isn't drawn.

    Raises:
        ImageRefused: when it is too costly.
    """
    try:
        data = embedded(address) or b""
        read = EMBEDDED_HEADERS.get(sniff(data[:HEAD_BYTES]) or Format.SVG)
        header = read(data) if read else None
    except ImageRefused as refused:
        if refused.reason is Reason.TOO_COSTLY:
            raise
        return 0
    except MALFORMED:
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
    """A length in pixels; None if it is invalid or relative, such as `100%`."""
    found = LENGTH.match(text)
    unit = UNITS.get(found[2].lower()) if found else None
    return None if found is None or unit is None else min(MAX_LENGTH, float(found[1]) * unit)


def _view_box(text: str) -> tuple[float, float] | None:
    numbers = NUMBERS.split(text.strip())
    sides = [_length(number) for number in numbers[2:]] if len(numbers) == 4 else []  # noqa: PLR2004  x, y and sides
    match sides:
        case [float(width), float(height)] if width and height:
            return width, height
    return None


def _complete_size(width: float | None, height: float | None, aspect: float) -> tuple[float, float]:
    """Both sides, computed from the known one."""
    if width is not None:
        return width, width / aspect
    height = height or 0.0
    return height * aspect, height
