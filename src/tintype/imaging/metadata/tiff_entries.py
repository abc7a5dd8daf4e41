"""The entries of a TIFF directory that describe pixels, and the sizes of strips and tiles that follow."""

import struct
from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

from tintype.imaging.errors import damaged
from tintype.imaging.headers.tiff_directory import SIZES
from tintype.imaging.metadata import icc, jpeg
from tintype.imaging.metadata.strips import CUTTERS, READS_REVERSED, Pixels

SCALARS = frozenset(
    (
        # Kind of page, size, compression, meaning of values, orientation, resolution, position, bit order.
        *(254, 255, 256, 257, 259, 262, 263, 266, 274, 277, 278, 282, 283, 284, 286, 287, 290, 292, 293, 296),
        # Predictor, tiles, inks, position of YCbCr's samples, older names for alpha and type, LogLuv's unit.
        *(317, 322, 323, 332, 334, 531, 32995, 32996, 37439),
    )
)
"""Tags with one value."""
COUNTS: Mapping[int, int] = MappingProxyType({297: 2, 318: 2, 321: 2, 319: 6, 529: 3, 530: 2, 532: 6})
"""Tags with a number of values: page, white point, halftone hints, primaries, and three of YCbCr."""
PER_SAMPLE = frozenset((258, 280, 281, 338, 339, 340, 341))
"""Tags with up to a value per sample: bits, range, meaning of additional samples, number format."""
CURVES: Mapping[int, int] = MappingProxyType({291: 1, 301: 3, 320: 3})
"""Grey response, transfer function and colour map: so many tables with an entry per value of a sample."""
REFUSED = frozenset((32997, 32998))
"""Pages with a depth."""
WIDTH, HEIGHT, BITS, COMPRESSION, COLOUR, FILL_ORDER, SAMPLES = 256, 257, 258, 259, 262, 266, 277
ROWS, PLANAR, TILE_WIDTH, TILE_HEIGHT, SUBSAMPLING, TABLES, PROFILE = 278, 284, 322, 323, 530, 347, 34675
STRIPS, TILES = 273, 324
TEXT, UNTYPED, DIRECTORIES = 2, 7, (13, 18)
NUMERIC = frozenset(SIZES) - {TEXT, UNTYPED, *DIRECTORIES}
FORMATS: Mapping[int, str] = MappingProxyType({1: "B", 3: "H", 4: "I", 16: "Q"})
DEFAULT_SUBSAMPLING, YCBCR_SAMPLES = (2, 2), 3
MAX_BITS, YCBCR, SEPARATE, REVERSED, UNCOMPRESSED = 16, 6, 2, 2, 1


class Entry(Struct, frozen=True):
    """Type, number and bytes of the values of an entry."""

    kind: int
    count: int
    values: bytes | memoryview


class Page:
    """The entries of a page by tag."""

    def __init__(self, entries: Mapping[int, Entry], order: str) -> None:
        self._entries, self._order = entries, order
        self.width, self.height = self.number(WIDTH, 0), self.number(HEIGHT, 0)
        self.compression = self.number(COMPRESSION, UNCOMPRESSED)
        self._samples, self._bits = self.number(SAMPLES, 1), self.number(BITS, 1)
        if not (self.width and self.height and self._samples and self.compression in CUTTERS):
            raise damaged()
        if self.number(FILL_ORDER, 1) == REVERSED and self.compression not in READS_REVERSED:
            raise damaged()
        if REFUSED & entries.keys() or len(set(self.numbers(BITS))) > 1:
            raise damaged()
        if {TILES in entries, TILE_WIDTH in entries, TILE_HEIGHT in entries} != {STRIPS not in entries}:
            # Decoders differ in what they do with strips and tiles, or a mixture of both.
            raise damaged()

    def numbers(self, tag: int) -> tuple[int, ...]:
        """All values of an entry; () if it is missing.

        Raises:
            ImageRefused: when its type isn't that of a whole number: decoders differ in what they convert.
        """
        entry = self._entries.get(tag)
        if entry is None:
            return ()
        if entry.kind not in FORMATS:
            raise damaged()
        return struct.unpack_from(f"{self._order}{entry.count}{FORMATS[entry.kind]}", entry.values)

    def number(self, tag: int, default: int) -> int:
        """The first value of an entry; `default` if it is missing."""
        return next(iter(self.numbers(tag)), default)

    def kept(self) -> dict[int, Entry]:
        """The entries that describe pixels, but where they are.

        Raises:
            ImageRefused: when one has more values than it may.
        """
        kept: dict[int, Entry] = {}
        for tag, entry in self._entries.items():
            if tag == PROFILE and entry.kind == UNTYPED:
                profile = icc.trim(bytes(entry.values))
                kept |= {tag: Entry(UNTYPED, len(profile), profile)} if profile else {}
            elif tag == TABLES:
                tables = jpeg.strip_part(bytes(entry.values))
                kept[tag] = Entry(UNTYPED, len(tables), tables)
            elif (most := self._max_count(tag)) and entry.kind in NUMERIC:
                if entry.count > most:
                    raise damaged()
                kept[tag] = entry
        return kept

    def _max_count(self, tag: int) -> int:
        """How many values an entry may have; 0 if it is not kept."""
        if tag in SCALARS:
            return 1
        if tag in PER_SAMPLE:
            return self._samples
        if tag in CURVES:
            return CURVES[tag] << min(self._bits, MAX_BITS)
        return COUNTS.get(tag, 0)

    def pieces(self, most: int) -> list[Pixels]:
        """The sizes of all strips or tiles.

        Raises:
            ImageRefused: when there have to be more than `most`.
        """
        planes = self._samples if self.number(PLANAR, 1) == SEPARATE else 1
        across, down = self.number(TILE_WIDTH, 0), self.number(TILE_HEIGHT, 0)
        if across and down:
            size = self._bytes(across, down, planes)
            count = -(-self.width // across) * -(-self.height // down)
            return _repeated([Pixels(size, size)], count * planes, most)
        rows = min(self.height, self.number(ROWS, self.height) or self.height)
        padded, count = self._bytes(self.width, rows, planes), -(-self.height // rows)
        last = self._bytes(self.width, self.height - (count - 1) * rows, planes)
        plane = [*_repeated([Pixels(padded, padded)], count - 1, most), Pixels(last, padded)]
        return _repeated(plane, planes, most)

    def _bytes(self, width: int, height: int, planes: int) -> int:
        """The size of pixels without compression (TIFF 6.0, sections 2 and 21)."""
        samples = self._samples // planes
        across, down = (*self.numbers(SUBSAMPLING), *DEFAULT_SUBSAMPLING)[:2]
        if self.number(COLOUR, 0) == YCBCR and samples == YCBCR_SAMPLES and across and down:
            units = -(-width // across) * -(-height // down)
            return -(-units * (across * down + 2) * self._bits // 8)
        return height * -(-width * samples * self._bits // 8)


def _repeated(pieces: list[Pixels], count: int, most: int) -> list[Pixels]:
    if len(pieces) * count > most:
        raise damaged()
    return pieces * count
