"""SVG: removes comments and `metadata` elements, where editors store author and date."""

import re

METADATA = re.compile(r"<!--.*?-->|<(\w+:)?metadata\b[^>]*?(/>|>.*?</(\w+:)?metadata\s*>)", re.DOTALL)
BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def strip(data: bytes) -> bytes:
    """The file without metadata, in its original encoding."""
    encoding = BYTE_ORDER_MARKS.get(data[:2], "latin-1")
    # Latin-1 round-trips any bytes; markup is ASCII in all other supported encodings.
    return METADATA.sub("", data.decode(encoding)).encode(encoding)
