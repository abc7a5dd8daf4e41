"""BMP (Windows and OS/2 bitmaps): parses the headers; also those of the bitmaps in icons."""

import struct
from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

from tintype.imaging.errors import damaged, not_accepted
from tintype.imaging.headers.header import Header, check_profile
from tintype.imaging.source import Buffer

FILE_HEADER, CORE, OS2_SHORT, INFO, OS2, V2, V3, V4, V5 = 14, 12, 16, 40, 64, 52, 56, 108, 124
HEADERS = frozenset((CORE, OS2_SHORT, INFO, OS2, V2, V3, V4, V5))
"""Sizes of the second header, which tell its kind."""
RGB, RLE8, RLE4, BITFIELDS, ALPHA_BITFIELDS = 0, 1, 2, 3, 6
RUN_LENGTHS = frozenset((RLE8, RLE4))
DEPTHS: Mapping[int, frozenset[int]] = MappingProxyType(
    {
        RGB: frozenset((1, 2, 4, 8, 16, 24, 32)),
        RLE8: frozenset((8,)),
        RLE4: frozenset((4,)),
        BITFIELDS: frozenset((16, 32)),
        ALPHA_BITFIELDS: frozenset((16, 32)),
    }
)
"""Bits of a pixel that are read, by compression."""
NAMES: Mapping[int, str] = MappingProxyType({4: "JPEG", 5: "PNG", 11: "CMYK", 12: "CMYK", 13: "CMYK"})
PALETTE_BITS = 8
"""At most; pixels of more bits are colours."""
EMBEDDED = 0x4D424544
"""The colour space of a V5 header whose profile is in the file (MBED)."""
Masks = tuple[int, int, int, int]
MASKS_16: Masks = (0x7C00, 0x03E0, 0x001F, 0)
MASKS_32: Masks = (0xFF0000, 0x00FF00, 0x0000FF, 0)


class Bitmap(Struct, frozen=True, kw_only=True):
    """A bitmap within a file.

    Attributes:
        width, height: in pixels; of an icon the height of its colours.
        bits: of a pixel.
        is_top_down: whether the first row is the uppermost.
        masks: the bits of red, green, blue and alpha; for 16 and 32 bits.
        palette: position, number of colours, and bytes of each.
        header: position and size of the second header, without masks and palette behind it.
        pixels: position of the first row.
        profile: position and size of the ICC profile; 0 if there is none.
    """

    width: int
    height: int
    bits: int
    compression: int
    is_top_down: bool
    masks: Masks
    palette: tuple[int, int, int]
    header: tuple[int, int]
    pixels: int
    profile: tuple[int, int]

    @property
    def row(self) -> int:
        """Bytes of the pixels of a row."""
        return -(-self.width * self.bits // 8)

    @property
    def stride(self) -> int:
        """Bytes of a row, with its padding."""
        return -(-self.width * self.bits // 32) * 4

    @property
    def is_run_length(self) -> bool:
        """Whether the pixels are compressed."""
        return self.compression in RUN_LENGTHS

    @property
    def has_alpha(self) -> bool:
        """Whether pixels have alpha."""
        return self.masks[3] != 0


def header(data: Buffer) -> Header:
    """Parse the headers.

    Raises:
        ImageRefused: when it is damaged, or of a kind that isn't read.
    """
    bitmap = read_bitmap(data)
    check_profile(bitmap.profile[1])
    pixels = bitmap.width * bitmap.height
    return Header(
        width=bitmap.width,
        height=bitmap.height,
        has_alpha=bitmap.has_alpha,
        bands=3 + bitmap.has_alpha,
        whole_pixels=pixels if bitmap.is_run_length else 0,
        buffer_bytes=2 * pixels if bitmap.is_run_length else 0,
    )


def check_complete(data: Buffer) -> None:
    """Check that all rows are there; the last may lack its padding.

    Raises:
        ImageRefused: when it is damaged.
    """
    bitmap = read_bitmap(data)
    check_rows(data, bitmap)


def check_rows(data: Buffer, bitmap: Bitmap) -> None:
    """Check that all rows of a bitmap are there; compressed ones are when they are decoded.

    Raises:
        ImageRefused: when it is damaged.
    """
    if bitmap.is_run_length:
        return
    if bitmap.pixels + bitmap.stride * (bitmap.height - 1) + bitmap.row > len(data):
        raise damaged()


def read_bitmap(data: Buffer) -> Bitmap:
    """The bitmap of a BMP file.

    Raises:
        ImageRefused: when it is damaged, or of a kind that isn't read.
    """
    (pixels,) = struct.unpack_from("<I", data, 10)
    return read_headers(data, FILE_HEADER, pixels)


def read_headers(data: Buffer, at: int, pixels: int = 0, *, is_icon: bool = False) -> Bitmap:
    """The bitmap whose second header is at a position.

    Args:
        data: the file.
        at: where the header is.
        pixels: where the rows are; 0, or where they can't be: behind the palette.
        is_icon: whether the height counts the rows of the mask too, and 32 bits have alpha.

    Raises:
        ImageRefused: when it is damaged, or of a kind that isn't read.
    """
    (size,) = struct.unpack_from("<I", data, at)
    if size not in HEADERS:
        raise damaged()
    if size == CORE:
        width, height, _, bits = struct.unpack_from("<4H", data, at + 4)
        compression, colours = RGB, 0
    else:
        # Short headers of OS/2 end early: the rest is 0.
        fields = bytes(data[at : at + size]).ljust(INFO, b"\0")
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", fields, 4)
        (colours,) = struct.unpack_from("<I", fields, 32) if size >= INFO else (0,)
    _check_kind(size, bits, compression)
    rows = abs(height) // 2 if is_icon else abs(height)
    if width <= 0 or not rows:
        raise damaged()
    masks, behind = _masks(data, at, size, bits, compression)
    each = 3 if size == CORE else 4
    count = min(colours or 2**bits, 2**bits) if bits <= PALETTE_BITS else 0
    end = behind + count * each
    if pixels and behind <= pixels < end:  # fewer colours than are said
        count, end = (pixels - behind) // each, pixels
    return Bitmap(
        width=width,
        height=rows,
        bits=bits,
        compression=compression,
        is_top_down=height < 0,
        masks=(*masks[:3], 0xFF000000) if is_icon and bits == 32 and not masks[3] else masks,  # noqa: PLR2004
        palette=(behind, count, each),
        header=(at, size),
        pixels=max(pixels, end),
        profile=_profile(data, at, size),
    )


def _check_kind(size: int, bits: int, compression: int) -> None:
    # In headers of OS/2 3 and 4 are other compressions.
    known = RUN_LENGTHS | {RGB} if size in {OS2_SHORT, OS2} else DEPTHS.keys()
    if compression not in known:
        name = NAMES.get(compression, "an unknown scheme")
        raise not_accepted(f"BMP compressed by {name} ({compression})")
    if bits not in DEPTHS[compression]:
        raise not_accepted(f"BMP with {bits} bits a pixel and compression {compression}")


def _masks(data: Buffer, at: int, size: int, bits: int, compression: int) -> tuple[Masks, int]:
    """The masks, and the position behind them, where the palette is."""
    end = at + size
    if compression in {BITFIELDS, ALPHA_BITFIELDS}:
        count = 4 if compression == ALPHA_BITFIELDS or size >= V3 else 3
        masks = (*struct.unpack_from(f"<{count}I", data, at + INFO), 0)[:4]
        return masks, max(end, at + INFO + 4 * count)
    return (MASKS_16 if bits == 16 else MASKS_32 if bits == 32 else (0, 0, 0, 0)), end  # noqa: PLR2004  bits


def _profile(data: Buffer, at: int, size: int) -> tuple[int, int]:
    """Position and size of an embedded profile (BITMAPV5HEADER)."""
    if size < V5 or struct.unpack_from("<I", data, at + 56) != (EMBEDDED,):
        return 0, 0
    offset, length = struct.unpack_from("<II", data, at + 112)
    return (at + offset, length) if at + offset + length <= len(data) else (0, 0)
