"""BMP and ICO files made by hand: every header, depth, mask and compression."""

import struct
from collections.abc import Sequence

CORE, INFO, V2, V3, V4, V5 = 12, 40, 52, 56, 108, 124
RGB, RLE8, RLE4, BITFIELDS = 0, 1, 2, 3
Rows = Sequence[Sequence[int]]
"""A number for each pixel, from the uppermost row to the last."""


def bmp(
    rows: Rows,
    bits: int,
    *,
    header: int = INFO,
    compression: int = RGB,
    masks: tuple[int, ...] = (),
    palette: Sequence[tuple[int, int, int]] = (),
    colours: int | None = None,
    is_top_down: bool = False,
    coded: bytes | None = None,
    profile: bytes = b"",
    gap: bytes = b"",
) -> bytes:
    """A file of these pixels, or of `coded` ones."""
    pixels = coded if coded is not None else packed(rows, bits, is_top_down=is_top_down)
    head = _header(rows, bits, header, compression, masks, colours or len(palette), is_top_down=is_top_down)
    end = b"" if header == CORE else b"\0"
    table = b"".join(bytes(reversed(colour)) + end for colour in palette)
    if profile:
        at = len(head) + len(table) + len(gap) + len(pixels)
        head = (
            head[:56]
            + struct.pack("<I", 0x4D424544)
            + head[60:112]
            + struct.pack("<II", at, len(profile))
            + head[120:]
        )
    body = head + table + gap + pixels + profile
    start = 14 + len(head) + len(table) + len(gap)
    return struct.pack("<2sIII", b"BM", 14 + len(body), 0, start) + body


def packed(rows: Rows, bits: int, *, is_top_down: bool = False) -> bytes:
    """Rows of pixels, each padded to four bytes, the last row first."""
    return b"".join(_row(row, bits) for row in (rows if is_top_down else reversed(rows)))


def _row(row: Sequence[int], bits: int) -> bytes:
    if bits >= 8:
        data = b"".join(number.to_bytes(bits // 8, "little") for number in row)
    else:
        digits = "".join(f"{number:0{bits}b}" for number in row)
        digits = digits.ljust(-(-len(digits) // 8) * 8, "0")
        data = int(digits, 2).to_bytes(len(digits) // 8, "big")
    return data + bytes(-len(data) % 4)


def _header(
    rows: Rows,
    bits: int,
    header: int,
    compression: int,
    masks: tuple[int, ...],
    colours: int,
    *,
    is_top_down: bool,
) -> bytes:
    width, height = len(rows[0]), len(rows)
    if header == CORE:
        return struct.pack("<I4H", CORE, width, height, 1, bits)
    signed = -height if is_top_down else height
    head = struct.pack("<IiiHHIIiiII", header, width, signed, 1, bits, compression, 0, 0, 0, colours, 0)
    return (head[:header] + struct.pack(f"<{len(masks)}I", *masks)).ljust(header, b"\0")


def icon(*pictures: tuple[int, int, int, bytes]) -> bytes:
    """An ICO of pictures: width, height, bits, and a PNG or a bitmap of `icon_bitmap`."""
    at = 6 + 16 * len(pictures)
    head, body = struct.pack("<3H", 0, 1, len(pictures)), b""
    for width, height, bits, data in pictures:
        head += struct.pack("<BBBBHHII", width % 256, height % 256, 0, 0, 1, bits, len(data), at + len(body))
        body += data
    return head + body


def icon_bitmap(
    rows: Rows, bits: int, mask: Rows | None, palette: Sequence[tuple[int, int, int]] = ()
) -> bytes:
    """A bitmap of an icon: colours, then the mask, in which 1 is transparent."""
    head = struct.pack(
        "<IiiHHIIiiII", INFO, len(rows[0]), 2 * len(rows), 1, bits, 0, 0, 0, 0, len(palette), 0
    )
    table = b"".join(bytes(reversed(colour)) + b"\0" for colour in palette)
    return head + table + packed(rows, bits) + (packed(mask, 1) if mask is not None else b"")


def rle8(rows: Rows) -> bytes:
    """Rows as runs, and as pixels where none is like the next."""
    out = b""
    for row in reversed(rows):
        out += b"".join(_rle8_part(part) for part in _parts(row)) + b"\0\0"
    return out[:-2] + b"\0\1"


def _rle8_part(part: Sequence[int]) -> bytes:
    if len(set(part)) == 1:
        return bytes((len(part), part[0]))
    if len(part) < 3:
        return b"".join(bytes((1, each)) for each in part)
    return bytes((0, len(part), *part)) + bytes(len(part) % 2)


def rle4(rows: Rows) -> bytes:
    """Rows as runs of two colours in turn, and as pixels."""
    out = b""
    for row in reversed(rows):
        for at in range(0, len(row), 9):
            part = list(row[at : at + 9])
            if at % 2 and len(part) > 2:
                nibbles = part + [0] * (-len(part) % 4)
                out += bytes((0, len(part))) + bytes(
                    high << 4 | low for high, low in zip(nibbles[::2], nibbles[1::2], strict=True)
                )
            else:
                out += b"".join(bytes((1, each << 4)) for each in part)
        out += b"\0\0"
    return out[:-2] + b"\0\1"


def _parts(row: Sequence[int]) -> list[Sequence[int]]:
    parts: list[Sequence[int]] = []
    at = 0
    while at < len(row):
        end = at + 1
        while end < len(row) and row[end] == row[at] and end - at < 255:
            end += 1
        if end - at == 1:
            while end < len(row) and row[end] != row[end - 1] and end - at < 200:
                end += 1
        parts.append(row[at:end])
        at = end
    return parts
