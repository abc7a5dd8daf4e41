"""The kind of a TIFF: what its samples are, and whether that kind is read (TIFF 6.0, its supplements)."""

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from msgspec import Struct

from tintype.imaging.errors import not_accepted, size_in_words
from tintype.imaging.headers.tiff_directory import (
    BITS,
    COMPRESSION,
    EXTRA_SAMPLES,
    LARGEST,
    PHOTOMETRIC,
    PLANAR,
    SAMPLE_FORMAT,
    SAMPLES,
    SMALLEST,
    TILE_OFFSETS,
    Page,
)

WIDTH, HEIGHT, TILE_WIDTH, TILE_HEIGHT, INK_SET, DEPTH = 256, 257, 322, 323, 332, 32997
COEFFICIENTS, SUBSAMPLING, REFERENCE = 529, 530, 532
MAX_SAMPLES = 10_000
"""Maximum number of samples of a pixel, as in libvips."""

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, SEPARATED, YCBCR, CIELAB, ICCLAB = 0, 1, 2, 3, 5, 6, 8, 9
GREYS = frozenset((WHITE_IS_ZERO, BLACK_IS_ZERO))
LABS = frozenset((CIELAB, ICCLAB))
UNSIGNED, SIGNED, FLOATING = 1, 2, 3
UNCOMPRESSED, OLD_JPEG, JPEG, PACKBITS = 1, 6, 7, 32773
COMPRESSIONS = frozenset((1, 2, 3, 4, 5, JPEG, 8, 32771, PACKBITS, 32946, 34925, 50000, 50001))
"""None, four of CCITT, LZW, JPEG, deflate, PackBits, deflate; LZMA, Zstandard, WebP if libtiff has them."""
FAX = frozenset((2, 3, 4, 32771))
SEPARATE, CMYK = 2, 1
ASSOCIATED, UNASSOCIATED, COREL = 1, 2, 999
"""Kinds of alpha: colours multiplied by it, not multiplied, not multiplied as Corel Draw 10 writes it."""
DEEP = ((16, UNSIGNED), (16, SIGNED), (32, UNSIGNED), (32, SIGNED), (16, FLOATING), (32, FLOATING))
Samples = frozenset[tuple[int, int]]
READ: Mapping[int, Samples] = MappingProxyType(
    {
        **dict.fromkeys(GREYS, frozenset(((8, UNSIGNED), (8, SIGNED), *DEEP))),
        RGB: frozenset(((8, UNSIGNED), (8, SIGNED), *DEEP)),
        PALETTE: frozenset((bits, UNSIGNED) for bits in (1, 2, 4, 8, 16)),
        SEPARATED: frozenset(((8, UNSIGNED), (16, UNSIGNED))),
        YCBCR: frozenset(((8, UNSIGNED),)),
        **dict.fromkeys(LABS, frozenset(((8, UNSIGNED), (16, UNSIGNED)))),
    }
)
"""The bits and formats of samples that are read, by photometric interpretation."""
PACKED: Samples = frozenset((bits, UNSIGNED) for bits in (1, 2, 4))
"""More that are read of grey without other samples."""
COLOURS: Mapping[int, int] = MappingProxyType(
    {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, PALETTE: 1, SEPARATED: 4, YCBCR: 3, CIELAB: 3, ICCLAB: 3}
)
"""Samples of a colour."""
JPEG_COLOURS = frozenset((WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, SEPARATED, YCBCR))

NAMES: Mapping[int, str] = MappingProxyType(
    {
        RGB: "RGB ",
        PALETTE: "palette ",
        4: "transparency mask ",
        SEPARATED: "CMYK ",
        YCBCR: "YCbCr ",
        CIELAB: "L*a*b* ",
        ICCLAB: "ICC L*a*b* ",
        10: "ITU L*a*b* ",
        32803: "raw sensor ",
        32844: "LogL ",
        32845: "LogLuv ",
        34892: "raw linear ",
    }
)
FORMAT_NAMES: Mapping[int, str] = MappingProxyType(
    {
        UNSIGNED: "",
        SIGNED: "signed ",
        FLOATING: "floating-point ",
        5: "complex ",
        6: "complex floating-point ",
    }
)
COMPRESSION_NAMES: Mapping[int, str] = MappingProxyType(
    {
        OLD_JPEG: "old-style JPEG",
        9: "JBIG",
        10: "JBIG",
        32766: "NeXT's scheme",
        32809: "ThunderScan",
        33003: "JPEG 2000",
        33005: "JPEG 2000",
        34661: "JBIG",
        34676: "SGI's scheme",
        34677: "SGI's scheme",
        34712: "JPEG 2000",
        34887: "LERC",
        34892: "lossy JPEG of DNG",
        52546: "JPEG XL",
    }
)


class Kind(Struct, frozen=True, kw_only=True):
    """What the samples of a page are.

    Attributes:
        photometric: the meaning of the colours; None if it isn't said.
        bits, format: of all samples; -1 if they differ.
        samples: of a pixel, including `extras`.
        extras: the kinds of samples besides colours, as far as the file says them.
        separate: whether each sample has its own plane.
        tile: width and height of tiles; None: it is in strips.
        subsampling: of YCbCr, horizontal and vertical.
        smallest, largest: values of the samples, where the file says them (section 19).
        coefficients, reference: of YCbCr (section 21): luma of red, green and blue; black and
            white of Y, Cb and Cr.
    """

    width: int
    height: int
    photometric: int | None
    compression: int
    bits: int
    format: int
    samples: int
    extras: tuple[int, ...]
    separate: bool
    tile: tuple[int, int] | None
    subsampling: tuple[int, int]
    ink_set: int
    depth: int
    smallest: float | None
    largest: float | None
    coefficients: tuple[float, ...]
    reference: tuple[float, ...]

    @property
    def others(self) -> int:
        """The number of samples besides colours."""
        return self.samples - COLOURS.get(self.photometric or 0, 1)

    @property
    def alpha(self) -> int | None:
        """Which of the other samples is alpha; None if there is none.

        A single one of which the file doesn't say what it is counts as alpha, as in Pillow: many writers of
        RGBA say nothing. Kind 0 is not alpha (tag 338).
        """
        if not self.extras:
            return 0 if self.others == 1 else None
        kinds = (ASSOCIATED, UNASSOCIATED, COREL)
        return next((at for at, kind in enumerate(self.extras[: self.others]) if kind in kinds), None)

    @property
    def is_premultiplied(self) -> bool:
        """Whether colours are multiplied by alpha."""
        return bool(self.extras) and self.alpha is not None and self.extras[self.alpha] == ASSOCIATED

    @property
    def levels(self) -> tuple[float, float]:
        """The values that are 0 and 1: the range of the type, unless the file says another (section 19)."""
        low, high = 0.0, float(2**self.bits - 1)
        if self.format == SIGNED:
            low, high = -(2.0 ** (self.bits - 1)), 2.0 ** (self.bits - 1) - 1
        elif self.format == FLOATING:
            high = 1.0
        told = (
            low if self.smallest is None else self.smallest,
            high if self.largest is None else self.largest,
        )
        is_usable = told[0] < told[1] and all(map(math.isfinite, told))
        return told if is_usable else (low, high)

    @property
    def is_drawn_by_libtiff(self) -> bool:
        """Whether libvips has libtiff convert it to RGBA: YCbCr with fewer samples of colour."""
        return self.photometric == YCBCR and self.compression != JPEG and self.subsampling != (1, 1)

    @property
    def is_converted(self) -> bool:
        """Whether we convert the colours, of samples that libvips takes for RGB: L*a*b*, and plain YCbCr."""
        is_ycbcr = self.photometric == YCBCR and self.compression != JPEG and self.subsampling == (1, 1)
        return self.photometric in LABS or is_ycbcr

    @property
    def has_planes(self) -> bool:
        """Whether each sample has a plane: libvips reads none in tiles, and mixes up rows of grey ones."""
        return self.separate and self.samples > 1

    @property
    def fails_on_warnings(self) -> bool:
        """Whether libvips has to take warnings for damage.

        Of tiles it then counts errors, and otherwise nothing; of missing data of PackBits libtiff only warns.
        """
        return self.tile is not None or self.compression == PACKBITS

    @property
    def needs_other_directory(self) -> bool:
        """Whether libvips reads it only when the directory says something else, or causes no warning."""
        is_warned_of = self.tile is None and self.fails_on_warnings
        return self.has_planes or self.is_converted or is_warned_of or (self.separate and self.samples == 1)


def read_kind(page: Page) -> Kind:
    """The kind of a page; nothing is checked."""
    samples = page.number(SAMPLES, 1)
    tile = (page.number(TILE_WIDTH, 0), page.number(TILE_HEIGHT, 0))
    formats = page.numbers(SAMPLE_FORMAT, samples) or (UNSIGNED,)
    return Kind(
        width=page.number(WIDTH, 0),
        height=page.number(HEIGHT, 0),
        photometric=page.number(PHOTOMETRIC, -1) if PHOTOMETRIC in page.entries else None,
        compression=page.number(COMPRESSION, UNCOMPRESSED),
        bits=_common(page.numbers(BITS, samples) or (1,)),
        # 4 is "void", of which libvips makes unsigned.
        format=_common(tuple(UNSIGNED if each == 4 else each for each in formats)),  # noqa: PLR2004
        samples=samples,
        extras=page.numbers(EXTRA_SAMPLES, MAX_SAMPLES),
        separate=page.number(PLANAR, 1) == SEPARATE,
        tile=tile if TILE_OFFSETS in page.entries else None,
        subsampling=_pair(page.numbers(SUBSAMPLING, 2)),
        ink_set=page.number(INK_SET, CMYK),
        depth=page.number(DEPTH, 1),
        smallest=min(page.reals(SMALLEST, samples), default=None),
        largest=max(page.reals(LARGEST, samples), default=None),
        coefficients=page.reals(COEFFICIENTS, 3),
        reference=page.reals(REFERENCE, 6),
    )


def check_kind(kind: Kind) -> None:
    """Check that pictures of this kind are read, and rightly.

    Raises:
        ImageRefused: when it is unsupported; the sentence says what isn't.
    """
    for what in _unsupported(kind):
        raise not_accepted(f"TIFF {what}")


def _unsupported(kind: Kind) -> Iterator[str]:
    if kind.compression not in COMPRESSIONS:
        name = COMPRESSION_NAMES.get(kind.compression, "an unknown scheme")
        yield f"compressed by {name} ({kind.compression})"
    if kind.bits < 0 or kind.format < 0:
        yield "with samples of different sizes or formats"
    if kind.photometric is None:
        yield "without a photometric interpretation"
    yield from _unsupported_samples(kind)
    yield from _unsupported_layout(kind)


def _unsupported_samples(kind: Kind) -> Iterator[str]:
    colour = kind.photometric or 0
    read = READ.get(colour, frozenset())
    is_packed = colour in GREYS and kind.samples == 1 and (kind.bits, kind.format) in PACKED
    if (kind.bits, kind.format) not in read and not is_packed:
        format_name = FORMAT_NAMES.get(kind.format, "unknown ")
        yield f"with {kind.bits}-bit {format_name}{NAMES.get(colour, '')}samples"
    if not 0 <= kind.others <= MAX_SAMPLES:
        yield f"with {kind.samples} samples of {NAMES.get(colour, 'grey ').strip()}"
    if colour == SEPARATED and kind.ink_set != CMYK:
        yield "with inks other than CMYK"
    if kind.is_premultiplied and (kind.bits not in {8, 16} or kind.format != UNSIGNED):
        yield f"with premultiplied alpha and {kind.bits}-bit samples of this format"


def _unsupported_layout(kind: Kind) -> Iterator[str]:
    if kind.tile is not None and not _is_tile_read(kind.tile, max(kind.width, kind.height)):
        yield f"in tiles of {size_in_words(*kind.tile)} pixels"
    if kind.separate and (kind.is_drawn_by_libtiff or _is_ycbcr_jpeg(kind)):
        yield "with YCbCr in separate planes"
    if kind.is_drawn_by_libtiff and (kind.tile is not None or kind.others):
        yield "with subsampled YCbCr that isn't JPEG, in tiles or with other samples"
    if kind.compression == JPEG:
        yield from _unsupported_jpeg(kind)
    if kind.compression in FAX and (kind.bits, kind.samples) != (1, 1):
        yield "compressed as a fax that isn't of one bit"
    if kind.depth != 1:
        yield "with a depth"


def _unsupported_jpeg(kind: Kind) -> Iterator[str]:
    if (kind.bits, kind.format) != (8, UNSIGNED) or kind.photometric not in JPEG_COLOURS:
        yield f"compressed by JPEG with {kind.bits}-bit {NAMES.get(kind.photometric or 0, '')}samples"
    if kind.others and not kind.separate:
        yield "compressed by JPEG with other samples than colours"


def _is_ycbcr_jpeg(kind: Kind) -> bool:
    return (kind.photometric, kind.compression) == (YCBCR, JPEG)


def _is_tile_read(tile: tuple[int, int], longest: int) -> bool:
    """Whether tiles have a size that libvips reads; multiples of 16 are TIFF's own rule (section 15)."""
    most = min(8192, -(-2 * longest // 256) * 256)
    return all(0 < side <= most and side % 16 == 0 for side in tile)


def _common(values: tuple[int, ...]) -> int:
    return values[0] if len(set(values)) == 1 else -1


def _pair(values: tuple[int, ...]) -> tuple[int, int]:
    across, down = (*values, 2, 2)[:2] if len(values) != 1 else (values[0], 2)
    return across, down
