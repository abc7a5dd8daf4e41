"""Writes a tree of SVG elements, without identifiers and classes that nothing refers to."""

import re
from collections.abc import Iterator
from typing import Union
from urllib.parse import unquote
from xml.sax.saxutils import escape, quoteattr

from msgspec import Struct

from tintype.imaging.metadata.svg_names import XLINK

REFERENCE = re.compile(r"#([^\s\"'()<>,;]+)")
EVENT = re.compile(r"([^\s;]+)\.")
"""The element whose event starts or ends an animation: `a.click`."""
EVENTS = frozenset(("begin", "end"))
SELECTOR = re.compile(r"#([^\s\"'()<>,;.:{}\[\]+~*/|]+)")
OTHER_SELECTORS = re.compile(r"[\[\\]")
"""By attribute, or with escapes."""
CARRIAGE_RETURN = {"\r": "&#13;"}
STYLE, ID, CLASS, PREFIX = "style", "id", "class", "xlink:"


class Element(Struct, frozen=True):
    """An element: its name, its attributes, whether it is, or is in, one with text, and what is in it."""

    name: str
    attributes: dict[str, str]
    is_text: bool
    children: list[Union["Element", str]]


def write(root: Element, namespace: str) -> bytes:
    """The document, in UTF-8."""
    elements = list(_all(root))
    sheets = ["".join(map(str, each.children)) for each in elements if each.name == STYLE]
    dropped = set[str]() if sheets else {CLASS}
    if not any(OTHER_SELECTORS.search(sheet) for sheet in sheets):
        _drop_names(elements, _references(elements, sheets))
    parts: list[str] = []
    declared = {"xmlns": namespace} if namespace else {}
    if any(name.startswith(PREFIX) for each in elements for name in each.attributes):
        declared |= {"xmlns:xlink": XLINK}
    _write(root, declared, dropped, parts)
    return "".join(parts).encode()


def _all(element: Element) -> Iterator[Element]:
    waiting = [element]
    while waiting:
        element = waiting.pop()
        yield element
        waiting += [child for child in element.children if isinstance(child, Element)]


def _references(elements: list[Element], sheets: list[str]) -> set[str]:
    """All that could be the identifier of an element that something refers to."""
    found = {name for sheet in sheets for name in SELECTOR.findall(sheet)}
    for text in (*sheets, *(value for each in elements for value in each.attributes.values())):
        found.update(unquote(name) for name in REFERENCE.findall(text))
    for element in elements:
        for name in EVENTS & element.attributes.keys():
            found.update(EVENT.findall(element.attributes[name]))
    return found


def _drop_names(elements: list[Element], references: set[str]) -> None:
    for element in elements:
        if element.attributes.get(ID) not in references:
            element.attributes.pop(ID, None)


def _write(element: Element, declared: dict[str, str], dropped: set[str], parts: list[str]) -> None:
    attributes = {name: value for name, value in element.attributes.items() if name not in dropped}
    written = (f" {name}={quoteattr(value)}" for name, value in (declared | attributes).items())
    parts.append(f"<{element.name}{''.join(written)}")
    if not element.children:
        parts.append("/>")
        return
    parts.append(">")
    for child in element.children:
        if isinstance(child, Element):
            _write(child, {}, dropped, parts)
        else:
            parts.append(escape(child, CARRIAGE_RETURN))
    parts.append(f"</{element.name}>")
