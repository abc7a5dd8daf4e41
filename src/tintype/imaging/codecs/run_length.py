"""RLE8 and RLE4 of BMP: runs of a colour, pixels as they are, ends of rows, and jumps."""

from tintype.imaging.errors import damaged
from tintype.imaging.headers.bmp import RLE4, Bitmap
from tintype.imaging.headers.header import too_many
from tintype.imaging.source import Buffer

END_OF_ROW, END, JUMP = 0, 1, 2
MAX_CODES = 2_000_000
"""Maximum number of codes; each takes a microsecond, whether it is of one pixel or of 255."""


def decode(data: Buffer, bitmap: Bitmap) -> bytes:
    """The index of each pixel, rows as in the file; those that nothing is said of are 0.

    Raises:
        ImageRefused: when the data end before the pixels do, or it is too costly.
    """
    return bytes(_decoded(data, bitmap)[0])


def coded_end(data: Buffer, bitmap: Bitmap) -> int:
    """The position behind the compressed pixels.

    Raises:
        ImageRefused: when the data end before the pixels do, or it is too costly.
    """
    return _decoded(data, bitmap)[1]


def _decoded(data: Buffer, bitmap: Bitmap) -> tuple[bytearray, int]:
    try:
        return _decode(memoryview(data), bitmap)
    except IndexError:
        raise damaged() from None


def _decode(coded: memoryview, bitmap: Bitmap) -> tuple[bytearray, int]:
    width, size = bitmap.width, bitmap.width * bitmap.height
    pixels = bytearray(size)
    per_byte = 2 if bitmap.compression == RLE4 else 1
    at, place, row_end = bitmap.pixels, 0, width
    for _ in range(MAX_CODES):
        if place >= size:
            return pixels, at
        count, value = coded[at], coded[at + 1]
        at += 2
        if count:
            # What goes on behind the end of a row is cut off there.
            count = max(0, min(count, row_end - place))
            pixels[place : place + count] = _run(value, count, per_byte)
            place += count
        elif value == END_OF_ROW:
            place, row_end = row_end, row_end + width
        elif value == END:
            return pixels, at
        elif value == JUMP:
            right, down = coded[at], coded[at + 1]
            at, place, row_end = at + 2, place + right + down * width, row_end + down * width
        else:
            count, length = max(0, min(value, row_end - place)), -(-value // per_byte)
            pixels[place : place + count] = _literal(coded[at : at + length], length, per_byte)[:count]
            at, place = at + length + length % 2, place + count
    raise too_many("codes of run lengths", MAX_CODES)


def _run(value: int, count: int, per_byte: int) -> bytes:
    """Pixels of one colour, or of two in turn."""
    if per_byte == 1:
        return bytes([value]) * count
    return (bytes([value >> 4, value & 15]) * (count // 2 + 1))[:count]


def _literal(part: memoryview, length: int, per_byte: int) -> bytes:
    """Pixels as they are, one or two in a byte."""
    if len(part) < length:
        raise IndexError
    return bytes(part) if per_byte == 1 else bytes(int(digit, 16) for digit in part.hex())
