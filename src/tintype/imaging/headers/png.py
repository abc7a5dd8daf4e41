"""PNG (third edition): parses chunks, including APNG frames and the end, which libvips doesn't check."""

import struct
import zlib
from collections.abc import Iterator

from tintype.imaging.errors import ImageRefused, Reason, damaged
from tintype.imaging.headers.header import MAX_PROFILE_BYTES, Header, check_profile, too_many
from tintype.imaging.source import Buffer

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEAD_BYTES, CRC_BYTES = 8, 4
MAX_CHUNKS = 200_000
"""Maximum number of chunks; encoders write pixels in chunks of 8 kB and more, so 100 MB are 12,000."""
MAX_TEXTS = 1000
"""Maximum number of text chunks, as in libpng."""
MAX_TEXT_BYTES = 16 * 1024 * 1024
"""Maximum size of all texts after inflation; the file can contain them in a thousandth of that size."""
BANDS = {0: 2, 2: 4, 3: 4, 4: 2, 6: 4}
"""Maximum number of bands by colour type (11.2.1): those without alpha may have a transparent colour."""
TEXTS = frozenset((b"tEXt", b"zTXt", b"iTXt"))


def header(data: Buffer) -> Header:
    """Parse the header. It is an APNG if there is an `acTL` chunk before the first `IDAT` (11.3.6.1).

    Raises:
        ImageRefused: when it is damaged or too costly.
    """
    width, height, bits, colour, *_, interlace = struct.unpack_from(
        ">II5B", data, len(SIGNATURE) + HEAD_BYTES
    )
    bands = BANDS.get(colour, max(BANDS.values()))
    if not (width and height and bits):
        raise damaged()
    frames = _check_chunks(data)
    return Header(
        width=width,
        height=height,
        frames=frames,
        bands=bands,
        whole_pixels=width * height if interlace else 0,
        buffer_bytes=width * height * bands * (2 if bits > 8 else 1) if interlace else 0,  # noqa: PLR2004  bits of a byte
    )


def check_complete(data: Buffer) -> None:
    """Check that all chunks up to `IEND` are complete; bytes after it are ignored.

    Raises:
        ImageRefused: when it is damaged.
    """
    for _ in _chunks(data):
        pass


def _check_chunks(data: Buffer) -> int:
    """The number of frames; checks the sizes of texts and the ICC profile.

    Raises:
        ImageRefused: when it is too costly.
    """
    frames, has_pixels, texts, bytes_left = 1, False, 0, MAX_TEXT_BYTES
    for kind, start, length in _readable_chunks(data):
        if kind == b"IDAT":
            has_pixels = True
        elif kind == b"acTL" and not has_pixels:
            frames = max(1, int(struct.unpack_from(">I", data, start)[0]))
        elif kind == b"iCCP":
            check_profile(_inflated_size(_compressed(kind, data[start : start + length]), MAX_PROFILE_BYTES))
        elif kind in TEXTS:
            texts += 1
            bytes_left -= _inflated_size(_compressed(kind, data[start : start + length]), bytes_left)
            if texts > MAX_TEXTS:
                raise too_many("texts", MAX_TEXTS)
            if bytes_left < 0:
                raise too_many("bytes of text", MAX_TEXT_BYTES)
    return frames


def _readable_chunks(data: Buffer) -> Iterator[tuple[bytes, int, int]]:
    """The chunks, as `_chunks`; but the file may be truncated after the start of its first `IDAT`."""
    has_pixels = False
    try:
        for chunk in _chunks(data):
            has_pixels = has_pixels or chunk[0] == b"IDAT"
            yield chunk
    except (ImageRefused, struct.error) as cut:
        if not has_pixels or (isinstance(cut, ImageRefused) and cut.reason is not Reason.DAMAGED):
            raise


def _chunks(data: Buffer) -> Iterator[tuple[bytes, int, int]]:
    """Type, start and length of the data of each chunk, up to `IEND`.

    Raises:
        ImageRefused: when a chunk extends beyond the end of the file, or it is too costly.
        struct.error: when `IEND` is missing.
    """
    at = len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        length, kind = struct.unpack_from(">I4s", data, at)
        start, at = at + HEAD_BYTES, at + HEAD_BYTES + length + CRC_BYTES
        if at > len(data):
            raise damaged()
        yield kind, start, length
        if kind == b"IEND":
            return
    raise too_many("chunks", MAX_CHUNKS)


def _compressed(kind: bytes, content: bytes) -> bytes:
    """The deflated part of a text or a profile (11.3.2.3 and 11.3.3); b"" if it is not compressed."""
    _, _, rest = content.partition(b"\0")
    if kind == b"iTXt":
        if rest[:1] != b"\1":
            return b""
        _, _, rest = rest[2:].partition(b"\0")  # the language
        _, _, rest = rest.partition(b"\0")  # the keyword in it
        return rest
    return b"" if kind == b"tEXt" else rest[1:]


def _inflated_size(deflated: bytes, most: int) -> int:
    """The size after inflation, up to `most` + 1; 0 if the data is corrupt."""
    try:
        return len(zlib.decompressobj().decompress(deflated, most + 1)) if deflated else 0
    except zlib.error:
        return 0
