"""Style sheets and style attributes in SVG: comments and unknown properties are removed."""

import re
from collections.abc import Callable

from tintype.imaging.metadata.svg_names import PROPERTIES

QUOTED = r"\"(?:[^\"\\\n]|\\.?)*\"?|'(?:[^'\\\n]|\\.?)*'?|url\((?!\s*[\"'])[^)]*\)?"
"""Strings, and addresses without quotation marks: what looks like a comment in them is none.

Their ends may be missing, so that a search never looks at anything twice.
"""
COMMENT = re.compile(rf"({QUOTED})|/\*.*?(?:\*/|\Z)", re.DOTALL)
DECLARATION = re.compile(rf"(?:{QUOTED}|[^;\"'])+", re.DOTALL)
EMBEDDED = re.compile(r"data:[^\"')\s]*", re.IGNORECASE)
"""An address with its data (RFC 2397)."""


def strip_sheet(text: str, embedded: Callable[[str], str]) -> str:
    """A style sheet without comments; `embedded` replaces addresses with data."""
    without = COMMENT.sub(lambda found: found[1] or " ", text)
    return EMBEDDED.sub(lambda found: embedded(found[0]), without)


def strip_attribute(text: str, embedded: Callable[[str], str]) -> str:
    """A style attribute with known properties alone."""
    declarations = (found[0].strip() for found in DECLARATION.finditer(strip_sheet(text, embedded)))
    return ";".join(each for each in declarations if each.partition(":")[0].strip().lower() in PROPERTIES)
