"""TIFF files made by hand (TIFF 6.0, BigTIFF): every layout, kind of sample and tag, also wrong ones.

Pictures are a function from a place to the raw samples of its pixel, so that a test knows what it asked for.
"""

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
OFFSETS, SAMPLES, ROWS, COUNTS, PLANAR, PREDICTOR = 273, 277, 278, 279, 284, 317
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_COUNTS, EXTRA, FORMAT = 322, 323, 324, 325, 338, 339
SUBSAMPLING = 530
BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, FLOAT, DOUBLE, LONG8 = 1, 2, 3, 4, 5, 7, 11, 12, 16
LETTERS = {BYTE: "B", SHORT: "H", LONG: "I", RATIONAL: "II", FLOAT: "f", DOUBLE: "d", LONG8: "Q"}
UINT, INT, FLOATING = 1, 2, 3
NONE, LZW, OLD_JPEG, JPEG, DEFLATE, PACKBITS = 1, 5, 6, 7, 8, 32773
GREY_WHITE_0, GREY, RGB, PALETTE, CMYK, YCBCR, LAB, ICC_LAB = 0, 1, 2, 3, 5, 6, 8, 9

Sample = float
Picture = Callable[[int, int], Sequence[Sample]]
Entry = tuple[int, Sequence[Any]]


@dataclass(frozen=True)
class Tiff:
    """A file of one page: how it is laid out, and what is in it; `extra` entries win over the others."""

    width: int
    height: int
    picture: Picture
    samples: int = 3
    photometric: int | None = RGB
    bits: int = 8
    format: int = UINT
    compression: int = NONE
    tile: tuple[int, int] | None = None
    rows: int | None = None
    planes: bool = False
    order: str = "<"
    big: bool = False
    entries: Mapping[int, Entry] = field(default_factory=dict)

    def encode(self) -> bytes:
        """The file."""
        return file_of(self, [self.compress(piece) for piece in self.pieces()])

    def pieces(self) -> Iterator[bytes]:
        """The samples of each strip or tile, not compressed; of a plane after the other if they are apart."""
        for plane in range(self.samples) if self.planes else (None,):
            for left, top, across, down in self.boxes():
                yield b"".join(self._row(y, left, across, plane) for y in range(top, top + down))

    def boxes(self) -> Iterator[tuple[int, int, int, int]]:
        """Left, top, width and height of each strip or tile."""
        if self.tile is not None:
            across, down = self.tile
            for top in range(0, self.height, down):
                for left in range(0, self.width, across):
                    yield left, top, across, down
            return
        rows = self.rows or self.height
        for top in range(0, self.height, rows):
            yield 0, top, self.width, min(rows, self.height - top)

    def _row(self, y: int, left: int, across: int, plane: int | None) -> bytes:
        places = [(min(x, self.width - 1), min(y, self.height - 1)) for x in range(left, left + across)]
        values = [
            value
            for x, y in places
            for at, value in enumerate(self.picture(x, y))
            if plane is None or at == plane
        ]
        return pack(values, self.bits, self.format, self.order)

    def compress(self, piece: bytes) -> bytes:
        """A strip or tile, compressed; unchanged by compressions that aren't known here."""
        if self.compression == DEFLATE:
            return zlib.compress(piece)
        if self.compression == LZW:
            return lzw(piece)
        return b"".join(map(pack_bits, self._rows(piece))) if self.compression == PACKBITS else piece

    def _rows(self, piece: bytes) -> list[bytes]:
        across = self.tile[0] if self.tile else self.width
        length = -(-across * (1 if self.planes else self.samples) * self.bits // 8)
        return [piece[at : at + length] for at in range(0, len(piece), length)]


def pack_bits(row: bytes) -> bytes:
    """A row, copied without runs; none goes on in the next row (section 9)."""
    parts = (row[at : at + 128] for at in range(0, len(row), 128))
    return b"".join(bytes([len(part) - 1]) + part for part in parts)


def lzw(piece: bytes) -> bytes:
    """LZW with the codes of bytes alone: the table is cleared before codes get longer (section 13)."""
    digits = [f"{256:09b}{byte:09b}" if at % 200 == 0 else f"{byte:09b}" for at, byte in enumerate(piece)]
    text = "".join([*digits, f"{257:09b}"])
    text = text.ljust(-(-len(text) // 8) * 8, "0")
    return int(text, 2).to_bytes(len(text) // 8, "big")


def pack(values: Sequence[Sample], bits: int, format: int, order: str) -> bytes:
    """A row of samples, padded to whole bytes."""
    if format == FLOATING:
        return struct.pack(f"{order}{len(values)}{ {16: 'e', 32: 'f', 64: 'd'}[bits] }", *values)
    whole = [int(value) & ((1 << bits) - 1) for value in values]
    if letter := {8: "B", 16: "H", 32: "I", 64: "Q"}.get(bits):
        return struct.pack(f"{order}{len(whole)}{letter}", *whole)
    digits = "".join(f"{value:0{bits}b}" for value in whole)
    digits = digits.ljust(-(-len(digits) // 8) * 8, "0")
    return int(digits, 2).to_bytes(len(digits) // 8, "big")


def file_of(tiff: Tiff, pieces: Sequence[bytes]) -> bytes:
    """A file of these compressed strips or tiles."""
    start = 16 if tiff.big else 8
    offsets, body = [], bytearray()
    for piece in pieces:
        body += bytes(-len(body) % 8)
        offsets.append(start + len(body))
        body += piece
    body += bytes(-len(body) % 8)
    places, counts = (TILE_OFFSETS, TILE_COUNTS) if tiff.tile else (OFFSETS, COUNTS)
    kind = LONG8 if tiff.big else LONG
    entries: dict[int, Entry] = {
        **_described(tiff),
        places: (kind, offsets),
        counts: (kind, [len(piece) for piece in pieces]),
        **tiff.entries,
    }
    at = start + len(body)
    head = (b"II" if tiff.order == "<" else b"MM") + (
        struct.pack(tiff.order + "HHHQ", 43, 8, 0, at) if tiff.big else struct.pack(tiff.order + "HI", 42, at)
    )
    return head + bytes(body) + directory(entries, at, tiff.order, big=tiff.big)


def directory(
    entries: Mapping[int, Entry], at: int, order: str, *, big: bool = False, link: int = 0
) -> bytes:
    """A directory that is written at a position, with the values of its entries behind it."""
    offset, room = ("Q", 8) if big else ("I", 4)
    size = struct.calcsize(f"<{'Q' if big else 'H'}") + len(entries) * (20 if big else 12) + room
    written, behind = b"", b""
    for tag, (kind, values) in sorted(entries.items()):
        data = encode_values(kind, values, order)
        count = len(values)
        if len(data) > room:
            data, behind = struct.pack(order + offset, at + size + len(behind)), behind + data
            behind += bytes(len(behind) % 2)
        written += struct.pack(order + "HH" + offset, tag, kind, count) + data.ljust(room, b"\0")
    head = struct.pack(order + ("Q" if big else "H"), len(entries))
    return head + written + struct.pack(order + offset, link) + behind


def encode_values(kind: int, values: Sequence[Any], order: str) -> bytes:
    """The values of an entry; rationals are pairs."""
    if isinstance(values, bytes):
        return values
    return b"".join(
        struct.pack(order + LETTERS[kind], *(value if isinstance(value, tuple) else (value,)))
        for value in values
    )


def _described(tiff: Tiff) -> dict[int, Entry]:
    entries: dict[int, Entry] = {
        WIDTH: (LONG, [tiff.width]),
        HEIGHT: (LONG, [tiff.height]),
        BITS: (SHORT, [tiff.bits] * tiff.samples),
        COMPRESSION: (SHORT, [tiff.compression]),
        SAMPLES: (SHORT, [tiff.samples]),
        PLANAR: (SHORT, [2 if tiff.planes else 1]),
    }
    if tiff.photometric is not None:
        entries[PHOTOMETRIC] = (SHORT, [tiff.photometric])
    if tiff.format != UINT:
        entries[FORMAT] = (SHORT, [tiff.format] * tiff.samples)
    if tiff.tile is not None:
        entries |= {TILE_WIDTH: (LONG, [tiff.tile[0]]), TILE_HEIGHT: (LONG, [tiff.tile[1]])}
    else:
        entries[ROWS] = (LONG, [tiff.rows or tiff.height])
    return entries


def halves(left: Sequence[Sample], right: Sequence[Sample], width: int) -> Picture:
    """A picture of two colours, one beside the other."""
    return lambda x, _: left if x < width // 2 else right


def gradient(samples: int, most: int = 255) -> Picture:
    """A picture in which no two neighbours, rows and samples are alike."""
    return lambda x, y: [(x * 7 + y * 13 + at * 71) % (most + 1) for at in range(samples)]
