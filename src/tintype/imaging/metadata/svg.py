"""SVG: without comments and `metadata` elements, where editors keep who drew it and when."""

import re

METADATA = re.compile(r"<!--.*?-->|<(\w+:)?metadata\b[^>]*?(/>|>.*?</(\w+:)?metadata\s*>)", re.DOTALL)
BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def strip(data: bytes) -> bytes:
    """The drawing alone, in the encoding that it had."""
    encoding = BYTE_ORDER_MARKS.get(data[:2], "latin-1")
    # Latin-1 takes any bytes and gives them back: whatever the encoding, the marks are ASCII.
    return METADATA.sub("", data.decode(encoding)).encode(encoding)
