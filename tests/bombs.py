"""Small files that make a decoder work or take memory as if they were large; made by hand, never decoded."""

import struct
import zlib
from base64 import b64encode

from tests import pictures
from tests.extra_pictures import svg


def tiff_pages(pages: int, *, big: bool = False, order: str = "<", loop: bool = False) -> bytes:
    """A TIFF of so many directories, each of one pixel; `loop`: the last leads to the first."""
    tags = ((256, 1), (257, 1), (258, 8), (259, 1), (262, 1), (273, 0), (277, 1), (278, 1), (279, 1))
    count, offset, entry = ("Q", "Q", "HHQHxxxxxx") if big else ("H", "I", "HHIHxx")
    size = (
        struct.calcsize(order + count) + len(tags) * struct.calcsize(order + entry) + struct.calcsize(offset)
    )
    first = 16 if big else 8
    entries = b"".join(struct.pack(order + entry, tag, 3, 1, value) for tag, value in tags)
    directories = []
    for page in range(pages):
        following = first + (page + 1) * size if page + 1 < pages else first if loop else 0
        directories.append(
            struct.pack(order + count, len(tags)) + entries + struct.pack(order + offset, following)
        )
    mark = b"II" if order == "<" else b"MM"
    head = struct.pack(order + "HHHQ", 43, 8, 0, first) if big else struct.pack(order + "HI", 42, first)
    return mark + head + b"".join(directories)


def tiff_tag(tag: int, kind: int, count: int, value: int) -> bytes:
    """A TIFF of one pixel, with one entry more."""
    data = bytearray(tiff_pages(1))
    end = 8 + 2 + 9 * 12
    struct.pack_into("<H", data, 8, 10)
    return bytes(data[:end]) + struct.pack("<HHII", tag, kind, count, value) + bytes(4)


def jpeg_scans(scans: int, width: int = 64, height: int = 48, *, grey: bool = False) -> bytes:
    """A progressive JPEG with so many scans more, all of them a refinement of nothing."""
    picture = pictures.photo(width, height)
    data = pictures.encode(picture.convert("L") if grey else picture, "jpeg", progressive=True)
    empty = b"\xff\xda" + struct.pack(">HB2B3B", 8, 1, 1, 0, 1, 63, 0) + b"\x00"
    return data[:-2] + empty * scans + data[-2:]


def tiff_jpegs(streams: list[bytes], width: int, rows: int, *last: tuple[int, int, int, int]) -> bytes:
    """A TIFF of strips of so many rows, a JPEG datastream in each; `last`: entries after the others."""
    count = len(streams)
    tags = [(256, 4, 1, width), (257, 4, 1, rows * count), (258, 3, 1, 8), (259, 3, 1, 7)]
    tags += [(262, 3, 1, 1), (273, 4, count, 0), (277, 3, 1, 1), (278, 4, 1, rows), (279, 4, count, 0), *last]
    arrays = 8 + 2 + 12 * len(tags) + 4
    starts = [arrays + 8 * count + sum(map(len, streams[:at])) for at in range(count)]
    values = {273: (arrays, starts), 279: (arrays + 4 * count, list(map(len, streams)))}
    entries = b"".join(
        struct.pack("<HHII", tag, kind, number, value or _inline(*values[tag]))
        for tag, kind, number, value in tags
    )
    numbers = struct.pack(f"<{2 * count}I", *values[273][1], *values[279][1])
    return struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + bytes(4) + numbers + b"".join(streams)


def _inline(at: int, values: list[int]) -> int:
    """What an entry holds: where its values are, or its only one."""
    return at if len(values) > 1 else values[0]


def jpeg_segments(segments: int) -> bytes:
    """A JPEG with so many empty segments before the picture."""
    data = pictures.jpeg()
    return data[:2] + b"\xff\xe5\x00\x02" * segments + data[2:]


def jpeg_profile(size: int) -> bytes:
    """A JPEG with a profile of so many bytes, in as many segments as it takes."""
    data = pictures.jpeg()
    parts = [b"ICC_PROFILE\0\x01\x01" + bytes(min(60_000, size - at)) for at in range(0, size, 60_000)]
    segments = b"".join(b"\xff\xe2" + struct.pack(">H", len(part) + 2) + part for part in parts)
    return data[:2] + segments + data[2:]


def png_with(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG with these chunks behind its header."""
    data = pictures.png()
    return data[:33] + b"".join(pictures.png_chunk(*chunk) for chunk in chunks) + data[33:]


def png_texts(kind: bytes, texts: int, inflated: int) -> bytes:
    """A PNG with so many texts, or profiles, that inflate to so many bytes each."""
    deflated = zlib.compress(bytes(inflated))
    content = {
        b"zTXt": b"a\0\0" + deflated,
        b"iTXt": b"a\0\1\0\0\0" + deflated,
        b"iCCP": b"a\0\0" + deflated,
        b"tEXt": b"a\0" + bytes(inflated),
    }[kind]
    return png_with(*([(kind, content)] * texts))


def webp_canvas(width: int, height: int, *, frame: tuple[int, int] | None = None) -> bytes:
    """A WebP whose canvas claims a size; its picture has 8 by 8 pixels, whatever its `frame` says."""
    still = pictures.webp(8, 8)[12:]
    flags = 2 if frame else 0
    head = b"VP8X" + struct.pack("<I", 10) + bytes((flags, 0, 0, 0)) + _24(width - 1) + _24(height - 1)
    if frame:
        anmf = bytes(6) + _24(frame[0] - 1) + _24(frame[1] - 1) + _24(100) + b"\0" + still
        still = b"ANIM" + struct.pack("<I", 6) + bytes(6) + b"ANMF" + struct.pack("<I", len(anmf)) + anmf
    return b"RIFF" + struct.pack("<I", 4 + len(head) + len(still)) + b"WEBP" + head + still


def gif_pieces(pieces: int) -> bytes:
    """A GIF with a comment of so many pieces of one byte."""
    data = pictures.tiny_gif(1)
    return data[:-1] + b"\x21\xfe" + b"\x01a" * pieces + b"\0" + data[-1:]


def svg_depth(depth: int) -> bytes:
    return svg("<g>" * depth + "</g>" * depth)


def svg_embedding(side: int, *, spelt: str = "data:image/png;base64,") -> bytes:
    """An SVG of 80 by 60 with a picture of one colour in it, so many pixels a side."""
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(side + 1)) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    png = pictures.PNG_SIGNATURE + b"".join(
        pictures.png_chunk(kind, data) for kind, data in ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    )
    return svg(f'<image width="80" height="60" href="{spelt}{b64encode(png).decode()}"/>')


def heif_sizes(data: bytes, width: int, height: int) -> bytes:
    """The AVIF or HEIC with another size in all of its `ispe` properties, and nothing clipped of it."""
    at = data.find(b"ispe")
    changed = bytearray(data.replace(b"clap", b"free"))
    while at >= 0:
        struct.pack_into(">II", changed, at + 8, width, height)
        at = data.find(b"ispe", at + 4)
    return bytes(changed)


def heif_extents(items: int, extents: int) -> bytes:
    """A HEIC whose `iloc` box has so many items, each of so many extents of no bytes."""
    locations = b"".join(struct.pack(">3H", item, 0, extents) for item in range(1, items + 1))
    return _heif(_full_box(b"iloc", struct.pack(">HH", 0, items) + locations))


def heif_references(first: int, others: int) -> bytes:
    """A HEIC whose primary item is made of so many, each of which is made of so many others."""
    counts = ((1, 2, first), *((2, 3, min(others - at, 65_535)) for at in range(0, others, 65_535)))
    boxes = (
        _box(b"dimg", struct.pack(">HH", item, count) + struct.pack(">H", part) * count)
        for item, part, count in counts
    )
    return _heif(_full_box(b"iref", b"".join(boxes)))


def _heif(more: bytes) -> bytes:
    """A HEIC of three grids of 64 by 64 pixels, without their data."""
    items = b"".join(_full_box(b"infe", struct.pack(">HH", item, 0) + b"grid\0", 2) for item in (1, 2, 3))
    sizes = _box(b"ipco", _full_box(b"ispe", struct.pack(">II", 64, 64)))
    owners = struct.pack(">I", 3) + b"".join(struct.pack(">HBB", item, 1, 1) for item in (1, 2, 3))
    inner = (
        _full_box(b"pitm", struct.pack(">H", 1)),
        _full_box(b"iinf", struct.pack(">H", 3) + items),
        _box(b"iprp", sizes + _full_box(b"ipma", owners)),
        more,
    )
    return _box(b"ftyp", b"heic" + bytes(4) + b"heicmif1") + _full_box(b"meta", b"".join(inner))


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def _full_box(kind: bytes, content: bytes, version: int = 0) -> bytes:
    return _box(kind, bytes((version, 0, 0, 0)) + content)


def _24(number: int) -> bytes:
    return number.to_bytes(3, "little")
