"""The error for files in none of the accepted formats."""

from tintype.imaging.errors import ImageRefused, Reason
from tintype.imaging.extras import available

BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def unsupported(head: bytes) -> ImageRefused:
    """The error for a file that begins with these bytes; it explains common cases such as HTML."""
    return ImageRefused(Reason.UNSUPPORTED, f"{_describe(head)} {_accepted()}")


def _describe(head: bytes) -> str:
    if not head:
        return "The file is empty."
    if _looks_like_markup(head):
        return "Types that can bear scripts, such as HTML, aren't accepted."
    return "The file isn't a picture of a known type."


def _looks_like_markup(head: bytes) -> bool:
    """HTML or any XML, in UTF-8 or UTF-16, with or without a byte order mark and white space."""
    for mark in BYTE_ORDER_MARKS:
        head = head.removeprefix(mark)
    return head.replace(b"\0", b"").lstrip().startswith(b"<")


def _accepted() -> str:
    *others, last = [entry.name for entry in available()]
    return f"Accepted are {', '.join(others)} and {last}."
