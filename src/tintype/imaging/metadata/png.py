"""PNG (third edition): writes the chunks that affect rendering, with lengths that the standard gives them."""

import struct
import zlib
from collections.abc import Iterator

from msgspec import Struct

from tintype.imaging.errors import damaged
from tintype.imaging.headers.header import MAX_PROFILE_BYTES
from tintype.imaging.headers.png import CRC_BYTES, SIGNATURE, chunks
from tintype.imaging.metadata import exif, icc

LENGTHS = {
    b"acTL": (8,),
    b"sRGB": (1,),
    b"gAMA": (4,),
    b"cHRM": (32,),
    b"cICP": (4,),
    b"mDCV": (24,),
    b"cLLI": (8,),
    b"sBIT": (1, 2, 3, 4),
    b"bKGD": (1, 2, 6),
    b"pHYs": (9,),
}
"""Chunks before the pixels that are kept if they have one of these lengths; each once."""
ONCE = frozenset((b"IHDR", b"PLTE", b"tRNS", b"acTL"))
"""Decoders differ in what they do with a second one, and with one behind the pixels."""
KEPT = {*LENGTHS, *b"IHDR PLTE tRNS iCCP eXIf IDAT fcTL fdAT".split()}
INDEXED = 3
CHANNELS = {0: 1, 2: 3, INDEXED: 1, 4: 2, 6: 4}
"""By colour type (11.2.1)."""
TRANSPARENT_BYTES = {0: 2, 2: 6}
ENTRY_BYTES = 3
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Of Adam7 (8.1): first column and row, and the distances of columns and rows."""
FRAME_CONTROL_BYTES, SEQUENCE_BYTES = 26, 4
BITS = 8
PIECE = 1024 * 1024
"""Bytes that are inflated at once."""


class Head(Struct, frozen=True):
    """The content of an IHDR chunk."""

    width: int
    height: int
    bits: int
    colour: int
    compression: int
    filter: int
    interlace: int


def strip(data: bytes) -> bytes:
    """The file without metadata; with a minimal `eXIf` chunk if the orientation isn't upright.

    Raises:
        ImageRefused: when it is damaged.
    """
    if not data.startswith(SIGNATURE):
        raise damaged()
    found = _chunks(data)
    kind, header = next(found)
    if kind != b"IHDR":
        raise damaged()
    picture = _Picture(Head(*struct.unpack(">II5B", header)))
    kept = [_chunk(b"IHDR", header)]
    for kind, content in found:
        kept += picture.keep(kind, content)
    picture.check_complete()
    return b"".join((SIGNATURE, *kept, _chunk(b"IEND", b"")))


class _Picture:
    """Decides which chunks are kept, and rewrites them."""

    def __init__(self, head: Head) -> None:
        self._head = head
        if head.colour not in CHANNELS:
            raise damaged()
        self._pixels = _Pixels(self._inflated_bytes(head.width, head.height))
        self._previous = b"IHDR"
        self._seen = {self._previous}
        self._palette = 0
        self._frames_left = self._read = self._written = 0
        self._has_control = False

    def keep(self, kind: bytes, content: bytes) -> Iterator[bytes]:
        """A chunk as it is written, or none."""
        match kind:
            case b"IDAT":
                yield from self._keep_pixels(content)
            case b"fcTL" | b"fdAT":
                self._check_sequence(content)
                yield from self._animate(kind, content[SEQUENCE_BYTES:])
            case b"eXIf" if kind not in self._seen:
                if (orientation := exif.orientation(content)) != exif.UPRIGHT:
                    yield _chunk(kind, exif.minimal(orientation))
            case _ if self._seen.isdisjoint((kind, b"IDAT")):
                if described := self._describe(kind, content):
                    yield _chunk(kind, described)
            case _ if kind in ONCE:
                raise damaged()
        self._seen.add(kind)
        self._previous = kind

    def _keep_pixels(self, content: bytes) -> Iterator[bytes]:
        if b"IDAT" in self._seen and self._previous != b"IDAT":
            # Some decoders end the pixels there, others join them (5.6).
            raise damaged()
        if part := self._pixels.cut(content):
            yield _chunk(b"IDAT", part)

    def check_complete(self) -> None:
        """Raises ImageRefused if pixels are missing: damaged."""
        self._pixels.check_complete()

    def _describe(self, kind: bytes, content: bytes) -> bytes:
        """The content of a chunk that belongs before the pixels; b"" if it is not kept."""
        if kind == b"iCCP":
            return _profile(content)
        if kind == b"PLTE" and self._head.colour == INDEXED:
            self._palette = min(1 << min(BITS, self._head.bits), len(content) // ENTRY_BYTES)
            return content[: self._palette * ENTRY_BYTES]
        if kind == b"tRNS":
            return self._transparency(content)
        if kind == b"acTL":
            self._frames_left, _ = struct.unpack(">II", content)
        return content if len(content) in LENGTHS.get(kind, ()) else b""

    def _transparency(self, content: bytes) -> bytes:
        """A tRNS chunk, which has no meaning where there is alpha.

        Raises:
            ImageRefused: when it has another length: some decoders ignore it, others don't.
        """
        if self._head.colour == INDEXED:
            if len(content) > self._palette:
                raise damaged()
            return content
        if len(content) != TRANSPARENT_BYTES.get(self._head.colour, len(content)):
            raise damaged()
        return content if self._head.colour in TRANSPARENT_BYTES else b""

    def _check_sequence(self, content: bytes) -> None:
        # Some decoders take frames without acTL for those of an animation.
        if b"acTL" not in self._seen or len(content) < SEQUENCE_BYTES:
            raise damaged()
        if int.from_bytes(content[:SEQUENCE_BYTES]) != self._read:
            raise damaged()
        self._read += 1

    def _animate(self, kind: bytes, content: bytes) -> Iterator[bytes]:
        """A chunk of a frame (11.3.6), without its old number; none of frames beyond those announced."""
        if kind == b"fcTL":
            self._frames_left -= 1
            if len(content) != FRAME_CONTROL_BYTES - SEQUENCE_BYTES:
                raise damaged()
            if b"IDAT" in self._seen:
                self._pixels.check_complete()
                self._pixels = _Pixels(self._inflated_bytes(*struct.unpack_from(">II", content)))
        elif b"IDAT" not in self._seen or not self._has_control:
            raise damaged()
        else:
            content = self._pixels.cut(content)
        self._has_control = True
        if self._frames_left >= 0 and content:
            yield _chunk(kind, self._written.to_bytes(SEQUENCE_BYTES) + content)
            self._written += 1

    def _inflated_bytes(self, width: int, height: int) -> int:
        """The size of the filtered pixels (7.3, 8.1, 9.1)."""
        bits = self._head.bits * CHANNELS[self._head.colour]
        passes = PASSES if self._head.interlace else ((0, 0, 1, 1),)
        sides = (
            (-(-(width - left) // across), -(-(height - top) // down)) for left, top, across, down in passes
        )
        return sum(rows * (1 + -(-columns * bits // 8)) for columns, rows in sides if columns > 0 < rows)


class _Pixels:
    """The compressed pixels of one frame, chunk by chunk."""

    def __init__(self, inflated_bytes: int) -> None:
        self._inflater = zlib.decompressobj()
        self._left = inflated_bytes

    def cut(self, part: bytes) -> bytes:
        """What belongs to the pixels, without the bytes behind their end.

        Raises:
            ImageRefused: when there are more pixels than fit into the picture.
        """
        if self._inflater.eof:
            return b""
        rest = part
        while True:
            inflated = self._inflater.decompress(rest, PIECE)
            rest = self._inflater.unconsumed_tail
            self._left -= len(inflated)
            if self._left < 0:
                raise damaged()
            if not inflated:
                return part[: len(part) - len(self._inflater.unused_data)]

    def check_complete(self) -> None:
        """Raises ImageRefused if pixels are missing: damaged."""
        if self._left:
            raise damaged()


def _profile(content: bytes) -> bytes:
    """An iCCP chunk with a name of our own."""
    _, _, rest = content.partition(b"\0")
    inflater = zlib.decompressobj()
    try:
        profile = inflater.decompress(rest[1:], MAX_PROFILE_BYTES)
    except zlib.error:
        # Decoders ignore it.
        return b""
    kept = icc.trim(profile) if inflater.eof else b""
    return b"icc\0\0" + zlib.compress(kept) if kept else b""


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and content of each chunk before IEND, which may be missing."""
    for kind, start, length in chunks(data, needs_end=False):
        end = start + length
        checksum = int.from_bytes(data[end : end + CRC_BYTES])
        if kind in KEPT and zlib.crc32(data[start - len(kind) : end]) != checksum:
            raise damaged()
        yield kind, data[start:end]


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
