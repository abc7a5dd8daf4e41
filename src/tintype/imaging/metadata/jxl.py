"""JPEG XL (ISO/IEC 18181-2): writes the codestream; in a container, with its level, if it came in one.

Not the box `jbrd`: it only serves to reconstruct a JPEG, which would need the metadata.
"""

import struct

from tintype.imaging.codecs.jxl import has_surplus
from tintype.imaging.errors import damaged
from tintype.imaging.headers import jxl as headers

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
    boxes = [(kind, data[start:end]) for kind, start, end in headers.boxes(data)]
    level = next((content[:1] for kind, content in boxes if kind == b"jxll"), b"")
    return START + (_box(b"jxll", level) if level else b"") + _box(b"jxlc", codestream)


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content
