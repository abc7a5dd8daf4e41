"""WebP (RFC 9649): parses the canvas and the headers of the frames, which must be consistent with it."""

import struct
from collections.abc import Iterator

from tintype.imaging.errors import damaged
from tintype.imaging.headers.header import Header, check_profile, too_many
from tintype.imaging.source import Buffer

HEADER_BYTES, CHUNK_BYTES = 12, 8
MAX_CHUNKS = 20_000
"""Maximum number of chunks in a file: three for each of the frames allowed, and ample slack."""
ANIMATED = 0x02
FRAME_BYTES = 16
"""Size of the frame header in an `ANMF` chunk, before the chunks of the frame."""
LOSSY_START, LOSSLESS_SIGNATURE = b"\x9d\x01\x2a", 0x2F
SIDE = 0x3FFF
"""Mask of a side, 14 bits, in the headers of both bitstreams."""

Size = tuple[int, int]


def header(data: Buffer) -> Header:
    """Parse the header.

    libwebp buffers all of a lossless still image, 4 bytes per pixel, and all of a lossy one's alpha, even if
    it is decoded at a smaller size.

    Raises:
        ImageRefused: when it is damaged or too costly.
    """
    canvas, is_animated, sizes, bytes_per_pixel = None, False, list[Size](), 0
    for kind, start, end in _chunks(data, HEADER_BYTES, len(data)):
        if kind == b"VP8X" and canvas is None:
            canvas, is_animated = _canvas(data, start), bool(data[start] & ANIMATED)
        elif kind == b"ANMF" and is_animated:
            sizes.append(_frame(data, start, end))
        elif kind in {b"VP8 ", b"VP8L"} and not is_animated:
            sizes.append(_bitstream(data, kind, start))
            bytes_per_pixel = max(bytes_per_pixel, 4 if kind == b"VP8L" else 0)
        elif kind == b"ALPH":
            bytes_per_pixel = max(bytes_per_pixel, 1)
        elif kind == b"ICCP":
            check_profile(end - start)
    canvas = canvas or sizes[0]
    if not sizes or any(width > canvas[0] or height > canvas[1] for width, height in sizes):
        raise damaged()
    return Header(
        width=canvas[0],
        height=canvas[1],
        frames=len(sizes) if is_animated else 1,
        whole_pixels=canvas[0] * canvas[1],
        buffer_bytes=0 if is_animated else bytes_per_pixel * canvas[0] * canvas[1],
        file_bytes=len(data),
    )


def _chunks(data: Buffer, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of the content of each chunk; the last may be truncated."""
    return ((name, start, min(end, stop)) for name, start, stop in chunks(data, at, end))


def chunks(data: Buffer, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of the content of each chunk; the last may say that it is longer than the range.

    Raises:
        ImageRefused: when there are too many.
    """
    for _ in range(MAX_CHUNKS):
        if at + CHUNK_BYTES > end:
            return
        name, length = struct.unpack_from("<4sI", data, at)
        start = at + CHUNK_BYTES
        yield name, start, start + length
        at = start + length + length % 2
    raise too_many("chunks", MAX_CHUNKS)


def _canvas(data: Buffer, start: int) -> Size:
    """Width and height, each stored as 24 bits minus one (2.7)."""
    return _24(data, start + 4) + 1, _24(data, start + 7) + 1


def _frame(data: Buffer, start: int, end: int) -> Size:
    """The right and bottom edge of a frame on the canvas; its bitstream must have the same size (2.7.1)."""
    left, top, width, height = (_24(data, start + at) for at in (0, 3, 6, 9))
    size = (width + 1, height + 1)
    for kind, at, _ in _chunks(data, start + FRAME_BYTES, end):
        if kind in {b"VP8 ", b"VP8L"} and _bitstream(data, kind, at) != size:
            raise damaged()
    return 2 * left + size[0], 2 * top + size[1]


def _bitstream(data: Buffer, kind: bytes, start: int) -> Size:
    """The size in the header of a bitstream (RFC 6386, 9.1; RFC 9649, 3.4)."""
    if kind == b"VP8L":
        if data[start] != LOSSLESS_SIGNATURE:
            raise damaged()
        (bits,) = struct.unpack_from("<I", data, start + 1)
        return (bits & SIDE) + 1, (bits >> 14 & SIDE) + 1
    code, width, height = struct.unpack_from("<3x3sHH", data, start)
    if code != LOSSY_START or not (width & SIDE and height & SIDE):
        raise damaged()
    return width & SIDE, height & SIDE


def _24(data: Buffer, at: int) -> int:
    """A little-endian number of three bytes."""
    return int.from_bytes(data[at : at + 3], "little")
