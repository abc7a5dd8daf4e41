"""LZW of GIF and TIFF: finds the end of the compressed data, without decompressing it.

A decoder reads no further than the end code. The width of every code follows from the number of codes since
the last clear code, so codes of one width are searched together, as a string of bits.
"""

from collections.abc import Iterator
from typing import Literal

from tintype.imaging.errors import damaged

MAX_WIDTH = 12
MAX_CODE_SIZE = 11
FEW, MANY = 16, 4096
"""Codes that are searched at once: few after a clear code, as another one may follow soon."""


def used_bytes(data: bytes, code_size: int, order: Literal["little", "big"]) -> int:
    """The number of bytes up to the end code; all if there is none.

    Args:
        data: the compressed data.
        code_size: bits of a pixel, "LZW minimum code size" (GIF89a, appendix F; 8 in TIFF 6.0, section 13).
        order: "little" if the first bit is the lowest of its byte (GIF); "big" (TIFF).

    Raises:
        ImageRefused: when it is damaged.
    """
    if not 0 < code_size <= MAX_CODE_SIZE:
        raise damaged()
    clear = 1 << code_size
    at, total = 0, 8 * len(data)
    width = clear.bit_length()
    while at < total:
        if _code(data, at, width, order) == clear:
            at += width
            continue
        at, is_end = _next_reset(data, at, clear, order)
        if is_end:
            return (at + 7) // 8
    return len(data)


def _code(data: bytes, at: int, width: int, order: Literal["little", "big"]) -> int:
    piece = int.from_bytes(data[at // 8 : at // 8 + 3].ljust(3, b"\0"), order)
    shift = at % 8 if order == "little" else 24 - at % 8 - width
    return piece >> shift & (1 << width) - 1


def _next_reset(data: bytes, at: int, clear: int, order: Literal["little", "big"]) -> tuple[int, bool]:
    """The bit after the next clear or end code, or the last bit; and whether it was an end code."""
    total = 8 * len(data)
    for width, codes in _runs(clear, early=order == "big"):
        codes = min(codes, (total - at) // width)  # noqa: PLW2901  those that are there
        if not codes:
            break
        bits = _bits(data, at, codes * width, order)
        found = _find(bits, clear, width, order)
        if found is not None:
            index, is_end = found
            return at + (index + 1) * width, is_end
        at += codes * width
    return total, False


def _runs(clear: int, *, early: bool) -> Iterator[tuple[int, int]]:
    """Widths of codes, and how many there are of each, in pieces; TIFF widens them one code early."""
    width = clear.bit_length()
    first, left = FEW, (1 << width) - clear - 1 - early
    while True:
        yield width, min(first, left)
        left -= min(first, left)
        first = min(MANY, 2 * first)
        if width == MAX_WIDTH:
            left = MANY
        elif not left:
            width, left = width + 1, 1 << width


def _bits(data: bytes, at: int, length: int, order: Literal["little", "big"]) -> str:
    """Bits as digits; the first is the last digit if the order is little."""
    start, end = at // 8, (at + length + 7) // 8
    digits = format(int.from_bytes(data[start:end], order), f"0{8 * (end - start)}b")
    skipped = at - 8 * start
    if order == "little":
        return digits[len(digits) - skipped - length : len(digits) - skipped]
    return digits[skipped : skipped + length]


def _find(bits: str, clear: int, width: int, order: Literal["little", "big"]) -> tuple[int, bool] | None:
    """The index of the first clear or end code, which differ in the last bit; whether it is an end code."""
    wanted, length = format(clear, f"0{width}b")[:-1], len(bits)
    if order == "big":
        at = bits.find(wanted)
        while at >= 0 and at % width:
            at = bits.find(wanted, at + 1)
    else:
        at = bits.rfind(wanted)
        while at >= 0 and (length - at) % width:
            at = bits.rfind(wanted, 0, at + width - 2)
    if at < 0:
        return None
    return (at if order == "big" else length - at - width) // width, bits[at + width - 1] == "1"
