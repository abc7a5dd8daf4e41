"""PNG (third edition): parses chunks, including APNG frames and the end, which libvips doesn't check."""

import struct
import zlib
from collections.abc import Iterator

from tintype.imaging.errors import ImageRefused, Reason, damaged
from tintype.imaging.headers import png_colour
from tintype.imaging.headers.header import MAX_PROFILE_BYTES, Header, check_profile, too_many
from tintype.imaging.source import Buffer

END = b"\0\0\0\0IEND\xae\x42\x60\x82"
SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEAD_BYTES, CRC_BYTES = 8, 4
MAX_CHUNKS = 200_000
"""Maximum number of chunks; encoders write pixels in chunks of 8 kB and more, so 100 MB are 12,000."""
MAX_TEXTS = 1000
"""Maximum number of text chunks, as in libpng."""
BANDS = {0: 2, 2: 4, 3: 4, 4: 2, 6: 4}
"""Maximum number of bands by colour type (11.2.1): those without alpha may have a transparent colour."""
TEXTS = frozenset((b"tEXt", b"zTXt", b"iTXt"))
MAX_FRAMES = 2**31 - 1
"""The largest number of a PNG (section 7.1); an animation that says more is none."""


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
        colour=png_colour.signal(data, _readable_chunks(data)),
        file_bytes=len(data) if _has_compressed_text(data) else 0,
    )


def check_complete(data: Buffer) -> None:
    """Check that all chunks up to `IEND` are complete; bytes after it are ignored.

    A still may lack `IEND`: whether all of its pixels are there is seen when they are decoded.

    Raises:
        ImageRefused: when it is damaged.
    """
    is_animated = any(kind == b"acTL" for kind, _, _ in _readable_chunks(data))
    for _ in chunks(data, needs_end=is_animated):
        pass


def lacks_end(data: Buffer) -> bool:
    """Whether `IEND` is missing.

    Raises:
        ImageRefused: when it is damaged or too costly.
    """
    try:
        for _ in chunks(data):
            pass
    except struct.error:
        return True
    return False


def without_texts(data: Buffer) -> bytes | None:
    """The file without its texts if any is compressed: the decoder would inflate them. None if none is.

    Raises:
        ImageRefused: when it is damaged or too costly.
    """
    if not _has_compressed_text(data):
        return None
    kept = [data[: len(SIGNATURE)]]
    for kind, start, length in _readable_chunks(data):
        end = start + length + CRC_BYTES
        if kind not in TEXTS:
            kept.append(data[start - HEAD_BYTES : end])
    kept.append(data[end:])
    return b"".join(kept)


def _check_chunks(data: Buffer) -> int:
    """The number of frames; checks the number of texts and the size of the ICC profile.

    Raises:
        ImageRefused: when it is too costly.
    """
    frames, has_pixels, texts = 1, False, 0
    for kind, start, length in _readable_chunks(data):
        if kind == b"IDAT":
            has_pixels = True
        elif kind == b"acTL" and not has_pixels:
            declared = int(struct.unpack_from(">I", data, start)[0])
            frames = declared if 0 < declared <= MAX_FRAMES else 1
        elif kind == b"iCCP":
            _, _, profile = data[start : start + length].partition(b"\0")
            check_profile(_inflated_size(profile[1:], MAX_PROFILE_BYTES))
        elif kind in TEXTS:
            texts += 1
            if texts > MAX_TEXTS:
                raise too_many("texts", MAX_TEXTS)
    return frames


def _readable_chunks(data: Buffer) -> Iterator[tuple[bytes, int, int]]:
    """The chunks, as `chunks`; but the file may be truncated after the start of its first `IDAT`."""
    has_pixels = False
    try:
        for chunk in chunks(data):
            has_pixels = has_pixels or chunk[0] == b"IDAT"
            yield chunk
    except (ImageRefused, struct.error) as cut:
        if not has_pixels or (isinstance(cut, ImageRefused) and cut.reason is not Reason.DAMAGED):
            raise


def _has_compressed_text(data: Buffer) -> bool:
    return any(
        kind == b"zTXt" or (kind == b"iTXt" and data[start : start + length].partition(b"\0")[2][:1] == b"\1")
        for kind, start, length in _readable_chunks(data)
    )


def chunks(data: Buffer, *, needs_end: bool = True) -> Iterator[tuple[bytes, int, int]]:
    """Type, start and length of the data of each chunk, up to `IEND`.

    Raises:
        ImageRefused: when a chunk extends beyond the end of the file, or it is too costly.
        struct.error: when `IEND` is missing, if it is needed.
    """
    at = len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        if not needs_end and data[at : at + len(END)] == END[: len(data) - at]:
            # Nothing, or less than the whole end, is left.
            return
        length, kind = struct.unpack_from(">I4s", data, at)
        start, at = at + HEAD_BYTES, at + HEAD_BYTES + length + CRC_BYTES
        if at > len(data):
            raise damaged()
        yield kind, start, length
        if kind == b"IEND":
            return
    raise too_many("chunks", MAX_CHUNKS)


def _inflated_size(deflated: bytes, most: int) -> int:
    """The size after inflation, up to `most` + 1; 0 if the data is corrupt."""
    try:
        return len(zlib.decompressobj().decompress(deflated, most + 1)) if deflated else 0
    except zlib.error:
        return 0
