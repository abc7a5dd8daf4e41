"""Strips and tiles of TIFF: each compression has a function that removes the bytes behind the pixels."""

import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType

from msgspec import Struct

from tintype.imaging.errors import damaged
from tintype.imaging.metadata import jpeg, webp
from tintype.imaging.metadata.lzw import used_bytes

PIECE = 1024 * 1024
LZW_CODE_SIZE = 8
NOTHING, RUN = 128, 257
"""PackBits: the byte without a meaning; what the others are subtracted from for the length of a run."""


class Pixels(Struct, frozen=True):
    """Bytes of the pixels of a strip; and with the rows below the picture, which some writers add."""

    size: int
    padded: int


Cutter = Callable[[bytes, Pixels], bytes]


def _uncompressed(data: bytes, pixels: Pixels) -> bytes:
    if len(data) < pixels.size:
        raise damaged()
    return data[: pixels.size]


def _as_it_is(data: bytes, _: Pixels) -> bytes:
    return data


def _lzw(data: bytes, _: Pixels) -> bytes:
    if data[:1] == b"\0" and data[1] & 1:
        # Codes in the reverse order of bits, from before TIFF 5.0.
        raise damaged()
    return data[: used_bytes(data, LZW_CODE_SIZE, "big")]


def _jpeg(data: bytes, _: Pixels) -> bytes:
    return jpeg.strip_part(data)


def _deflate(data: bytes, pixels: Pixels) -> bytes:
    inflater, rest, left = zlib.decompressobj(), data, pixels.padded
    while inflated := inflater.decompress(rest, PIECE):
        rest, left = inflater.unconsumed_tail, left - len(inflated)
        if left < 0:
            raise damaged()
    return data[: len(data) - len(inflater.unused_data)]


def _pack_bits(data: bytes, pixels: Pixels) -> bytes:
    """PackBits (TIFF 6.0, section 9): runs and copies, each after a byte that tells its length."""
    at, left = 0, pixels.size
    while left > 0 and at < len(data):
        head = data[at]
        if head > NOTHING:
            at, left = at + 2, left - (RUN - head)
        elif head < NOTHING:
            at, left = at + head + 2, left - (head + 1)
        else:
            at += 1
    return data[:at]


def _webp(data: bytes, _: Pixels) -> bytes:
    return webp.strip(data)


CUTTERS: Mapping[int, Cutter] = MappingProxyType(
    {
        1: _uncompressed,
        2: _as_it_is,
        3: _as_it_is,
        4: _as_it_is,
        5: _lzw,
        7: _jpeg,
        8: _deflate,
        32773: _pack_bits,
        32946: _deflate,
        34925: _as_it_is,
        50000: _as_it_is,
        50001: _webp,
    }
)
"""By compression: none, three of CCITT, LZW, JPEG, deflate, PackBits, deflate, LZMA, Zstandard, WebP."""
READS_REVERSED = frozenset((1, 2, 3, 4))
"""Compressions whose function also holds if the bits of each byte are in reverse order (FillOrder 2)."""
