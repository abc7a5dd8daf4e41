"""SVG: written anew, in UTF-8, with the elements, attributes and texts that affect rendering.

Nothing else is left: titles, descriptions, `metadata`, comments, processing instructions, the document type
(its entities are expanded), scripts, names of other namespaces, text outside of `text`, addresses of other
files, and identifiers that nothing refers to. Embedded pictures are stripped as well.
"""

from base64 import b64encode
from collections.abc import Callable
from xml.parsers import expat

from tintype.imaging.errors import damaged
from tintype.imaging.headers.svg import MAX_DEPTH, clean_address, embedded
from tintype.imaging.metadata.css import strip_attribute, strip_sheet
from tintype.imaging.metadata.svg_names import ATTRIBUTES, ELEMENTS, QUALIFIED, SVG, TEXTS
from tintype.imaging.metadata.svg_writer import Element, write

StripPicture = Callable[[bytes], bytes]
"""Strips an embedded picture; b"" if it is none."""

SEPARATOR = "\f"
"""Between namespace and name, as expat gives them: a character that can't be in XML."""
FOREIGN, STYLE, LINK, EXTENSIONS = "foreignObject", "style", "a", "requiredExtensions"
REFERENCES = frozenset(("href", "xlink:href"))
MAX_GROWTH, SLACK = 2, 10_000
"""Maximum size of all values and texts: a multiple of the file's size, and plus; entities expand."""


def strip(data: bytes, strip_picture: StripPicture) -> bytes:
    """The file without metadata.

    Raises:
        ImageRefused: when it is damaged; also if it contains HTML.
    """
    parser = _Parser(data, strip_picture)
    if parser.root is None:
        raise damaged()
    return write(parser.root, parser.namespace)


class _Parser:
    """Builds the tree of what is kept.

    Attributes:
        root: the root element.
        namespace: its namespace; "" if it has none.
    """

    def __init__(self, data: bytes, strip_picture: StripPicture) -> None:
        self.root: Element | None = None
        self.namespace = ""
        self._open: list[Element] = []
        self._dropped = 0
        self._left = MAX_GROWTH * len(data) + SLACK
        self._strip_picture = strip_picture
        parser = expat.ParserCreate(namespace_separator=SEPARATOR)
        parser.buffer_text = True
        parser.StartElementHandler = self._started
        parser.EndElementHandler = self._ended
        parser.CharacterDataHandler = self._text
        try:
            parser.Parse(data, True)  # noqa: FBT003  expat takes it by position only
        except expat.ExpatError:
            raise damaged() from None

    def _started(self, qualified: str, attributes: dict[str, str]) -> None:
        self._count(*attributes.values())
        namespace, _, name = qualified.rpartition(SEPARATOR)
        if self.root is None:
            self.namespace = namespace
            if name != "svg" or namespace not in {SVG, ""}:
                raise damaged()
        if self._dropped or namespace != self.namespace or not self._is_kept(name, attributes):
            self._dropped += 1
            return
        is_text = name in TEXTS or bool(self._open and self._open[-1].is_text)
        element = Element(name, self._attributes(name, attributes), is_text, [])
        if len(self._open) >= MAX_DEPTH:
            raise damaged()
        if self.root is None:
            self.root = element
        else:
            self._open[-1].children.append(element)
        self._open.append(element)

    def _is_kept(self, name: str, attributes: dict[str, str]) -> bool:
        if name == FOREIGN and not attributes.get(EXTENSIONS):
            # HTML is drawn by browsers; with extensions it is for other programs.
            raise damaged()
        return name in ELEMENTS

    def _ended(self, _: str) -> None:
        if self._dropped:
            self._dropped -= 1
            return
        element = self._open.pop()
        if element.name == STYLE:
            sheet = "".join(child for child in element.children if isinstance(child, str))
            element.children[:] = [strip_sheet(sheet, self._strip_font_or_picture)]

    def _text(self, text: str) -> None:
        self._count(text)
        if not self._dropped and self._open[-1].is_text:
            self._open[-1].children.append(text)

    def _count(self, *texts: str) -> None:
        self._left -= sum(map(len, texts))
        if self._left < 0:
            raise damaged()

    def _attributes(self, element: str, attributes: dict[str, str]) -> dict[str, str]:
        kept: dict[str, str] = {}
        for qualified, value in attributes.items():
            namespace, _, local = qualified.rpartition(SEPARATOR)
            name = QUALIFIED.get((namespace, local)) if namespace else local
            if name and (namespace or name in ATTRIBUTES):
                changed = self._value(element, name, value)
                kept |= {} if changed is None else {name: changed}
        return kept

    def _value(self, element: str, name: str, value: str) -> str | None:
        """The value of an attribute that is kept; None if it isn't."""
        if name == "style":
            return strip_attribute(value, self._strip_font_or_picture)
        if name in REFERENCES and element != LINK:
            address = clean_address(value)
            return address if address.startswith("#") else self._strip_address(address)
        return value

    def _strip_address(self, address: str) -> str | None:
        """A `data:` URL with the picture stripped; None for any other address.

        Raises:
            ImageRefused: when its data isn't a picture that is known here.
        """
        data = embedded(address)
        if data is None:
            return None
        stripped = self._strip_picture(data)
        if not stripped:
            raise damaged()
        return _data_url(address, stripped)

    def _strip_font_or_picture(self, address: str) -> str:
        """The same in a style sheet, where what isn't a picture can be a font."""
        data = embedded(address)
        stripped = self._strip_picture(data) if data else b""
        return _data_url(address, stripped) if stripped else address


def _data_url(address: str, data: bytes) -> str:
    """The address with other data.

    Raises:
        ImageRefused: when it has a fragment: renderers differ in whether they draw it.
    """
    if "#" in address:
        raise damaged()
    media = address.partition(",")[0].partition(";")[0]
    return f"{media};base64,{b64encode(data).decode()}"
