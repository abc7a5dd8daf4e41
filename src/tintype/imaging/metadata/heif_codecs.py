"""What is kept of the data of AV1 and HEVC images: the parts that a decoder needs for the pixels."""

import struct
from collections.abc import Iterator

from tintype.imaging.errors import damaged
from tintype.imaging.headers.boxes import Reader

SEQUENCE_HEADER = 1
AV1_PARTS = frozenset((SEQUENCE_HEADER, 3, 4, 6, 7, 8))
"""OBUs with headers, tile groups and frames (AV1, 6.2.2): no metadata, padding, or reserved types."""
AV1_HEADER_BYTES = 4
HAS_EXTENSION, HAS_SIZE = 0x04, 0x02
MORE = 0x80
MAX_SIZE_BYTES = 8
HEVC_HEADER_BYTES, LENGTH_AT = 22, 21
HEVC_PARAMETERS = frozenset((32, 33, 34))
"""Parameter sets (H.265, 7.4.2.2): video, sequence, picture."""
HEVC_PARTS = HEVC_PARAMETERS | frozenset(range(32))
"""And slices: no SEI messages, filler data, or reserved and unspecified types."""


def av1_data(data: bytes) -> bytes:
    """The data of an image.

    Raises:
        ImageRefused: when it is damaged.
    """
    return b"".join(part for kind, part in _obus(data) if kind in AV1_PARTS)


def av1_header(content: bytes) -> bytes:
    """An av1C property (AV1 in ISOBMFF, 2.3)."""
    headers = _obus(content[AV1_HEADER_BYTES:])
    return content[:AV1_HEADER_BYTES] + b"".join(part for kind, part in headers if kind == SEQUENCE_HEADER)


def hevc_data(data: bytes, header: bytes) -> bytes:
    """The data of an image with this hvcC property.

    Raises:
        ImageRefused: when it is damaged.
    """
    size = 1 + (header[LENGTH_AT] & 3)
    return b"".join(_nal_units(data, size))


def hevc_header(content: bytes) -> bytes:
    """An hvcC property (14496-15, 8.3.3.1)."""
    reader = Reader(content, 0, len(content))
    head = reader.take(HEVC_HEADER_BYTES)
    units = [unit for unit in _parameters(reader) if _kind(unit) in HEVC_PARAMETERS]
    arrays = (struct.pack(">BHH", _kind(unit), 1, len(unit)) + unit for unit in units)
    return head + bytes((len(units),)) + b"".join(arrays)


def _obus(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and bytes of each open bitstream unit (AV1, 5.3)."""
    at = 0
    while at < len(data):
        flags = data[at]
        start = at + 1 + bool(flags & HAS_EXTENSION)
        size, start = _leb128(data, start) if flags & HAS_SIZE else (len(data) - start, start)
        if start + size > len(data):
            raise damaged()
        yield flags >> 3 & 15, data[at : start + size]
        at = start + size


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    """A number of up to 8 bytes with 7 bits each, and the position after it (AV1, 4.10.5)."""
    value = 0
    for index in range(MAX_SIZE_BYTES):
        value |= (data[at + index] & ~MORE) << 7 * index
        if not data[at + index] & MORE:
            return value, at + index + 1
    raise damaged()


def _nal_units(data: bytes, size: int) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        end = at + size + int.from_bytes(data[at : at + size])
        if end > len(data) or end <= at + size:
            raise damaged()
        if _kind(data[at + size : end]) in HEVC_PARTS:
            yield data[at:end]
        at = end


def _parameters(reader: Reader) -> Iterator[bytes]:
    """The NAL units in an hvcC property."""
    for _ in range(reader.number(1)):
        reader.number(1)
        for _ in range(reader.number(2)):
            yield reader.take(reader.number(2))


def _kind(unit: bytes) -> int:
    """The type of a NAL unit (H.265, 7.3.1.2)."""
    return unit[0] >> 1 & 0x3F
