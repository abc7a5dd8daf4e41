"""TIFF 6.0 and BigTIFF: parses the first page, and checks all of them, before libtiff reads the file."""

from collections import Counter

from tintype.imaging.errors import damaged
from tintype.imaging.headers import jpeg
from tintype.imaging.headers.header import Header, too_many
from tintype.imaging.headers.tiff_directory import (
    BITS,
    COMPRESSION,
    SAMPLES,
    STRIP_BYTES,
    TILE_BYTES,
    Page,
    read_pages,
)
from tintype.imaging.headers.tiff_kind import JPEG, OLD_JPEG, read_kind
from tintype.imaging.source import Buffer

WIDTH, HEIGHT, STRIP_ROWS, TILE_WIDTH, TILE_HEIGHT = 256, 257, 278, 322, 323
MAX_MEAN_SCANS = 20
"""Maximum number of scans of a JPEG-compressed strip or tile, on average: sequential ones have at most one
for each component, progressive ones about 10. libtiff allows 100 in each: 13,000 took 19 s."""
SCANLINES = 128
"""libvips reads longer strips line by line, unless the compression doesn't allow it."""
BUFFER_FACTOR = 2.5
"""Memory of libvips per byte of a decoded strip or row of tiles; measured: 2.2."""


def header(data: Buffer) -> Header:
    """Parse the first page; of the others the entries are checked.

    Raises:
        ImageRefused: when it is damaged or too costly.
    """
    page, is_plain = read_pages(data)
    width, height = page.number(WIDTH, 0), page.number(HEIGHT, 0)
    bands = page.number(SAMPLES, 1)
    if not (width and height and bands):
        raise damaged()
    pixels_at_once = _pixels_at_once(page, width, height)
    # Samples of less than 8 bits are expanded to bytes.
    buffer_bytes = round(pixels_at_once * bands * max(1, page.largest(BITS) / 8) * BUFFER_FACTOR)
    if page.number(COMPRESSION, 1) == JPEG:
        buffer_bytes += _check_jpegs(page)
    if not is_plain or read_kind(page).needs_other_directory:
        buffer_bytes += len(data)  # it is copied, to be read with another directory
    return Header(
        width=width,
        height=height,
        bands=bands,
        whole_pixels=pixels_at_once if pixels_at_once > SCANLINES * width else 0,
        buffer_bytes=buffer_bytes,
        file_bytes=max(page.largest(STRIP_BYTES), page.largest(TILE_BYTES)),
    )


def _check_jpegs(page: Page) -> int:
    """Check the scans of JPEG-compressed strips or tiles; return the memory of the coefficients of one.

    Raises:
        ImageRefused: when it is damaged or too costly.
    """
    pieces = Counter(page.pieces())
    if sum(stop - start for start, stop in pieces) > 2 * len(page.data):
        # They overlap: reading all of them could take for ever.
        raise damaged()
    streams = {piece: jpeg.read_stream(page.data, *piece) for piece in pieces}
    most = max(jpeg.MAX_SCANS, MAX_MEAN_SCANS * pieces.total())
    if sum(streams[piece].scans * times for piece, times in pieces.items()) > most:
        raise too_many("scans", most)
    return max((stream.buffer_bytes for stream in streams.values()), default=0)


def _pixels_at_once(page: Page, width: int, height: int) -> int:
    """The number of pixels that are decoded at once: a row of tiles, or a strip."""
    tile_width, tile_height = page.number(TILE_WIDTH, 0), page.number(TILE_HEIGHT, 0)
    if tile_width and tile_height:
        return -(-width // tile_width) * tile_width * tile_height
    rows = min(height, page.number(STRIP_ROWS, height) or height)
    by_lines = page.number(COMPRESSION, 1) not in {OLD_JPEG, JPEG}
    return width * (min(rows, SCANLINES) if by_lines else rows)
