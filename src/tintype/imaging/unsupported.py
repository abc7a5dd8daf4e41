"""The error for files in none of the accepted formats."""

import re

from tintype.imaging.errors import ImageRefused, Reason
from tintype.imaging.extras import available
from tintype.imaging.formats import HEAD_BYTES, XML_PROLOGUE, ascii_text

ROOT = re.compile(XML_PROLOGUE + rb"(?:(<[A-Za-z_:])|<[!?]|\Z)", re.DOTALL)
"""A root element, or the start of what may precede it and doesn't end in these bytes."""
HTML = re.compile(
    rb"\xef?\xbb?\xbf?(?>\s|<\?.*?\?>|<!--.*?-->)*+"
    rb"<(?:!doctype\s+html|html|head|title|meta|link|style|script|body|iframe|div|p|a|h1|table|br|b)[\s/>]",
    re.DOTALL | re.IGNORECASE,
)
"""HTML, by what the MIME Sniffing Standard (7.1) looks for, behind comments and instructions too."""


def unsupported(head: bytes) -> ImageRefused:
    """The error for a file that begins with these bytes; it explains common cases such as HTML."""
    return ImageRefused(Reason.UNSUPPORTED, f"{_describe(head)} {_accepted()}")


def _describe(head: bytes) -> str:
    if not head:
        return "The file is empty."
    text = ascii_text(head)
    if HTML.match(text):
        return "Types that can bear scripts, such as HTML, aren't accepted."
    root = ROOT.match(text)
    if root is not None and root[1]:
        return "XML other than SVG isn't accepted."
    if root is not None and len(head) >= HEAD_BYTES:
        return f"No root element of an SVG begins within the first {HEAD_BYTES:,} bytes of the file."
    return "The file isn't a picture of a known type."


def _accepted() -> str:
    *others, last = [entry.name for entry in available()]
    return f"Accepted are {', '.join(others)} and {last}."
