"""JPEG XL (ISO/IEC 18181-2): writes the codestream; in a container, with its level, if it came in one.

Not the box `jbrd`: it only serves to reconstruct a JPEG, which would need the metadata.
"""

from tintype.imaging.codecs.jxl import has_surplus
from tintype.imaging.errors import damaged
from tintype.imaging.headers import jxl as headers
from tintype.imaging.headers.boxes import whole_boxes
from tintype.imaging.metadata.heif_boxes import box

START = b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0\0\0\x14ftypjxl \0\0\0\0jxl "
"""The boxes with signature and type."""


def strip(data: bytes) -> bytes:
    """The file without metadata; the orientation is part of the codestream.

    Raises:
        ImageRefused: when it is damaged; also if bytes follow the codestream, whose end only a decoder knows.
    """
    codestream = headers.codestream(data)
    if has_surplus(codestream):
        raise damaged()
    if data.startswith(headers.SIGNATURE):
        return codestream
    found = list(whole_boxes(data, 0, len(data)))
    level = next((data[each.start : each.end][:1] for each in found if each.kind == b"jxll"), b"")
    return START + (box(b"jxll", level) if level else b"") + box(b"jxlc", codestream)
