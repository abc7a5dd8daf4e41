"""PNG encoding: with a palette if that is exact and smaller, otherwise with the better filter."""

import struct
import zlib
from collections.abc import Mapping

import pyvips

from tintype.imaging.codecs.palette import OPAQUE, Palette, few_colours
from tintype.imaging.formats import Option
from tintype.imaging.headers.png import SIGNATURE

MAX_PIXELS_IN_MEMORY = 4_000_000  # in memory, to look at them before they are written: 16 MB
STRIP_SHARE, MIN_STRIP_ROWS = 24, 16  # the trial strip has 1/24 of the rows, at least 16

# The best options for drawings and for photographs. Compared to level 6 without a filter, a common default,
# both take 75 % of the time; drawings are 1 % larger, photographs 13 to 29 % smaller. The other filters
# save 1 to 3 % more, and take 20 % longer.
FLAT: Mapping[str, Option] = {"filter": "none", "compression": 5}
PHOTO: Mapping[str, Option] = {"filter": "sub", "compression": 2}
# Any quantisation but the fastest takes ten times as long, without a visible difference.
QUANTISED: Mapping[str, Option] = {"palette": True, "bitdepth": 8, "Q": 100, "effort": 1}

TRUE_GREY_COLOURS = 16  # with more, a grey picture is smaller without a palette
INDEXED = 3  # the colour type, PNG 11.2.1
DEPTHS = (1, 2, 4, 8)
DIGITS = bytes.maketrans(bytes(range(16)), b"0123456789abcdef")


def save(image: pyvips.Image, options: Mapping[str, Option], *, exact: bool = False) -> bytes:
    """Encode a PNG, lossless with one exception.

    An image of at most 256 colours gets an exact palette of 1, 2, 4 or 8 bits, if that is smaller; a grey
    image gets a single channel. If the source had a palette, the resampled pixels are quantised to 256
    colours, unless that is larger or `exact` is set. Nothing else is quantised.
    """
    if image.width * image.height > MAX_PIXELS_IN_MEMORY:
        return _save(image, options, PHOTO)
    image, palette = few_colours(image.copy_memory())
    if palette is None:
        plain = _save(image, options, _best_filter(image, options))
        if exact or not image.get_typeof("palette"):
            return plain
        return min(_save(image, options, {**FLAT, **QUANTISED}), plain, key=len)
    if palette.is_grey and len(palette.colours) > TRUE_GREY_COLOURS:
        grey = image[0].copy(interpretation="b-w")
        return _save(grey, options, _best_filter(grey, options))
    return min(_encode_indexed(palette), _save(image, options, FLAT), key=len)


def _best_filter(image: pyvips.Image, options: Mapping[str, Option]) -> Mapping[str, Option]:
    """The options that compress a strip from the middle of the image better."""
    rows = min(image.height, max(MIN_STRIP_ROWS, image.height // STRIP_SHARE))
    strip = image.crop(0, (image.height - rows) // 2, image.width, rows)
    return min(FLAT, PHOTO, key=lambda filter_options: len(_save(strip, options, filter_options)))


def _save(image: pyvips.Image, options: Mapping[str, Option], filter_options: Mapping[str, Option]) -> bytes:
    data: bytes = image.pngsave_buffer(**{**options, **filter_options})
    return data


def _encode_indexed(palette: Palette) -> bytes:
    """Encode a PNG with a palette; libvips' own quantiser doesn't keep colours exactly."""
    depth = next(bits for bits in DEPTHS if len(palette.colours) <= 2**bits)
    size = struct.pack(">IIBBBBB", palette.width, palette.height, depth, INDEXED, 0, 0, 0)
    colours = b"".join(bytes(colour[:3]) for colour in palette.colours)
    alphas = bytes(colour[3] for colour in palette.colours).rstrip(bytes([OPAQUE]))
    pixels = b"".join(b"\0" + _pack_row(row, depth) for row in palette.rows)
    return SIGNATURE + b"".join(
        _chunk(kind, data)
        for kind, data in (
            (b"IHDR", size),
            (b"PLTE", colours),
            (b"tRNS", alphas),
            (b"IDAT", zlib.compress(pixels)),
            (b"IEND", b""),
        )
        if data or kind != b"tRNS"
    )


def _pack_row(row: bytes, depth: int) -> bytes:
    """Pack the indices of a row, `depth` bits each, the first in the highest bits; pad the last byte."""
    if depth == max(DEPTHS):
        return row
    length = -(-len(row) * depth // 8)
    digits = row.translate(DIGITS).ljust(length * 8 // depth, b"0")
    return int(digits, 2**depth).to_bytes(length, "big")


def _chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk with its length, type and CRC (PNG, 5.3)."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
