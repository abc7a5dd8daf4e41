"""Strips and tiles of TIFF: checks those that carry a checksum, which libtiff doesn't always compare."""

import zlib

from tintype.imaging.errors import damaged
from tintype.imaging.headers.tiff_directory import COMPRESSION, STRIP_BYTES, TILE_BYTES, Page, read_pages
from tintype.imaging.headers.tiff_kind import Kind, read_kind
from tintype.imaging.source import Buffer

DEFLATE = frozenset((8, 32946))
STRIP_ROWS = 278
PART = 1024 * 1024
"""Bytes that are inflated at once."""


def check_complete(data: Buffer) -> None:
    """Check the checksums of deflated strips or tiles.

    What ends early is left to libtiff, which notices when pixels are missing; so is what has more bytes than
    pixels, which are ignored.

    Raises:
        ImageRefused: when it is damaged.
    """
    page, _ = read_pages(data)
    if page.number(COMPRESSION, 1) not in DEFLATE or not {STRIP_BYTES, TILE_BYTES} & page.entries.keys():
        return
    most = _piece_bytes(page, read_kind(page))
    for start, stop in set(page.pieces()):
        _check_deflated(data[start:stop], most)


def _check_deflated(piece: bytes, most: int) -> None:
    inflater = zlib.decompressobj()
    try:
        while most >= 0 and (part := inflater.decompress(piece, PART)):
            piece, most = inflater.unconsumed_tail, most - len(part)
    except zlib.error:
        raise damaged() from None


def _piece_bytes(page: Page, kind: Kind) -> int:
    """Bytes of a strip or tile, at most."""
    rows = min(kind.height, page.number(STRIP_ROWS, kind.height) or kind.height)
    across, down = kind.tile or (kind.width, rows)
    return down * (across * kind.samples * kind.bits // 8 + 1)
