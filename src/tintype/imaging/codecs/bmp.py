"""BMP: rows of pixels are taken as they are in the file; libvips makes colours of them, lazily."""

import sys
from mmap import mmap

import pyvips

from tintype.imaging.codecs.packages import PROFILE
from tintype.imaging.codecs.run_length import decode
from tintype.imaging.headers.bmp import MASKS_32, PALETTE_BITS, Bitmap, check_rows, read_bitmap
from tintype.imaging.source import Buffer, Source, content

MOST = 255
COLOURS = 256
HIGHEST_BYTE = 0xFF000000


def read(source: Source) -> pyvips.Image:
    """Open the bitmap: RGB, with alpha if a mask says where it is, and with its ICC profile.

    Raises:
        ImageRefused: when it is damaged, or of a kind that isn't read.
    """
    data = source if isinstance(source, bytes | mmap) else content(source)
    bitmap = read_bitmap(data)
    image = draw(data, bitmap)
    start, size = bitmap.profile
    if size:
        image = image.copy()
        image.set_type(pyvips.GValue.blob_type, PROFILE, data[start : start + size])
    return image


def draw(data: Buffer, bitmap: Bitmap) -> pyvips.Image:
    """The pixels of a bitmap, upright; of its colours those that aren't there are black.

    Raises:
        ImageRefused: when rows are missing.
    """
    if bitmap.bits <= PALETTE_BITS:
        image = _indices(data, bitmap).maplut(_palette(data, bitmap))
    else:
        image = _colours(_rows(data, bitmap), bitmap)
    image = image.copy(interpretation="srgb")
    return image if bitmap.is_top_down else image.flipver()


def packed_rows(data: Buffer, at: int, stride: int, height: int) -> pyvips.Image:
    """The bytes of rows, one band; zeros for padding that the last one lacks.

    Raises:
        ImageRefused: when rows are missing.
    """
    rows = memoryview(data)[at : at + stride * height]
    if len(rows) < stride * height:
        rows = memoryview(bytes(rows).ljust(stride * height, b"\0"))
    return pyvips.Image.new_from_memory(rows, stride, height, 1, "uchar")


def unpacked(rows: pyvips.Image, bits: int, width: int) -> pyvips.Image:
    """Numbers of 1, 2 or 4 bits, the first in the highest bits of a byte, as bytes."""
    if bits < PALETTE_BITS:
        shifts = range(PALETTE_BITS - bits, -1, -bits)
        parts = [(rows >> shift) & (2**bits - 1) for shift in shifts]
        rows = parts[0].bandjoin(parts[1:]).bandunfold()
    return rows.crop(0, 0, width, rows.height).cast("uchar")


def _rows(data: Buffer, bitmap: Bitmap) -> pyvips.Image:
    check_rows(data, bitmap)
    return packed_rows(data, bitmap.pixels, bitmap.stride, bitmap.height)


def _indices(data: Buffer, bitmap: Bitmap) -> pyvips.Image:
    if bitmap.is_run_length:
        pixels = decode(data, bitmap)
        return pyvips.Image.new_from_memory(pixels, bitmap.width, bitmap.height, 1, "uchar")
    return unpacked(_rows(data, bitmap), bitmap.bits, bitmap.width)


def _palette(data: Buffer, bitmap: Bitmap) -> pyvips.Image:
    at, count, each = bitmap.palette
    entries = bytes(data[at : at + count * each])
    colours = b"".join(entries[start : start + 3][::-1] for start in range(0, count * each, each))
    return pyvips.Image.new_from_memory(colours.ljust(COLOURS * 3, b"\0"), COLOURS, 1, 3, "uchar")


def _colours(rows: pyvips.Image, bitmap: Bitmap) -> pyvips.Image:
    """Pixels of 16, 24 or 32 bits."""
    size = bitmap.bits // 8
    pixels = rows.crop(0, 0, bitmap.width * size, bitmap.height).bandfold(factor=size)
    if bitmap.bits == 24 or bitmap.masks[:3] == MASKS_32[:3]:  # noqa: PLR2004  bits
        alpha = [_channel(pixels, bitmap.masks[3])] if bitmap.has_alpha else []
        return pixels[2].bandjoin([pixels[1], pixels[0], *alpha])
    channels = [_channel(pixels, mask) for mask in bitmap.masks[: 3 + bitmap.has_alpha]]
    return channels[0].bandjoin(channels[1:])


def _channel(pixels: pyvips.Image, mask: int) -> pyvips.Image:
    """The bits of a mask, as levels from 0 to 255."""
    if mask == HIGHEST_BYTE and pixels.bands == 4:  # noqa: PLR2004  bytes
        return pixels[3]
    number = pixels.copy(format="ushort" if pixels.bands == 2 else "uint", bands=1)  # noqa: PLR2004  of bytes
    if sys.byteorder == "big":
        number = number.byteswap()
    shift = (mask & -mask).bit_length() - 1 if mask else 0
    most = mask >> shift
    level = (number & mask) >> shift
    return (level * (MOST / most)).rint().cast("uchar") if most else level.cast("uchar")
