"""What to say of bytes that are in none of the accepted formats."""

from tintype.imaging.errors import ImageRefused, Reason
from tintype.imaging.formats import ROWS, brands

HEIF_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
)
JXL_SIGNATURES = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")
BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def unsupported(head: bytes) -> ImageRefused:
    """The refusal of a file that begins with these bytes, naming the type where people will ask why."""
    return ImageRefused(Reason.UNSUPPORTED, f"{_what_it_is(head)} {_accepted()}")


def _what_it_is(head: bytes) -> str:
    if not head:
        return "The file is empty."
    if _looks_like_markup(head):
        return "Types that can bear scripts, such as SVG, aren't accepted."
    if head.startswith(JXL_SIGNATURES):
        return "JPEG XL (JXL) pictures aren't accepted."
    if HEIF_BRANDS.intersection(brands(head)):
        return "HEIC pictures aren't accepted."
    return "The file isn't a picture of a known type."


def _looks_like_markup(head: bytes) -> bool:
    """SVG, HTML or any XML, in UTF-8 or UTF-16, with or without a byte order mark and white space."""
    for mark in BYTE_ORDER_MARKS:
        head = head.removeprefix(mark)
    return head.replace(b"\0", b"").lstrip().startswith(b"<")


def _accepted() -> str:
    *most, last = [entry.name for entry in ROWS]
    return f"Accepted are {', '.join(most)} and {last}."
