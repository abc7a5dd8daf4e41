"""The orientation, the only EXIF tag that is kept."""

import struct

ORIENTATION = 0x0112
SHORT = 3
NUMBERS = {1: "B", SHORT: "H", 4: "I"}
"""Struct formats of the types that decoders accept for it: BYTE, SHORT, LONG."""
UPRIGHT = 1
TURNED = range(2, 9)
MAX_ENTRIES = 1000
BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}


def orientation(exif: bytes) -> int:
    """The orientation in an EXIF block (a TIFF structure), 1 to 8; 1 if it is missing or invalid."""
    order = BYTE_ORDERS.get(exif[:4])
    try:
        if order is None:
            return UPRIGHT
        (first,) = struct.unpack_from(order + "I", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, first)
        for at in range(first + 2, first + 2 + 12 * min(count, MAX_ENTRIES), 12):
            tag, kind = struct.unpack_from(order + "HH", exif, at)
            if tag == ORIENTATION:
                (value,) = struct.unpack_from(order + NUMBERS[kind], exif, at + 8)
                return value if value in TURNED else UPRIGHT
    except (struct.error, KeyError):
        pass
    return UPRIGHT


def minimal(orientation: int) -> bytes:
    """An EXIF block with the orientation as its only entry (TIFF 6.0, section 2)."""
    header = struct.pack("<2sHI", b"II", 42, 8)
    entry = struct.pack("<HHIHH", ORIENTATION, SHORT, 1, orientation, 0)
    return header + struct.pack("<H", 1) + entry + struct.pack("<I", 0)
