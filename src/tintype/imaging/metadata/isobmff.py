"""AVIF and HEIC (ISO/IEC 14496-12, 23008-12): writes a new file with the primary image and its parts.

Kept are the parts of a grid or overlay, alpha, and properties that affect rendering; the orientation is one
of them. Dropped are all other boxes, items and properties: thumbnails, depth and gain maps among them.
"""

import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType

from tintype.imaging.errors import damaged
from tintype.imaging.headers.boxes import Box, Reader, whole_boxes
from tintype.imaging.metadata.heif_boxes import box, full_box
from tintype.imaging.metadata.heif_codecs import av1_data, hevc_data
from tintype.imaging.metadata.heif_items import DERIVED, Image, Item, Property, read
from tintype.imaging.metadata.heif_properties import HEVC

BRANDS = frozenset(b"avif heic heix heim heis mif1 mif2 miaf MA1A MA1B MiHA MiHB MiHE".split())
"""Brands of still images."""
SEQUENCES = frozenset((b"moov", b"moof"))
HANDLER = bytes(4) + b"pict" + bytes(13)
OFFSET_SIZE_4_LENGTH_SIZE_4 = 0x4400
MAX_NUMBER = 0xFFFF
"""Of an item; longer numbers serve files with more items than are accepted."""
LONG_INDICES, ESSENTIAL = 1, 0x8000
BOX_BYTES = 8
IDENTITY = b"iden"
"""An item without data, which only has properties of its own."""


def strip(data: bytes) -> bytes:
    """The file without metadata.

    Raises:
        ImageRefused: when it is damaged; also if it is an image sequence, or of a kind that isn't known here.
    """
    found = list(whole_boxes(data, 0, len(data)))
    metas = [each for each in found if each.kind == b"meta"]
    if len(metas) != 1 or found[0].kind != b"ftyp" or any(each.kind in SEQUENCES for each in found):
        raise damaged()
    image = read(data, metas[0])
    if max(image.items) > MAX_NUMBER:
        raise damaged()
    contents = {number: _content(image, number, item) for number, item in image.items.items()}
    return write(_brands(data, found[0]), image, contents)


def write(head: bytes, image: Image, contents: Mapping[int, bytes]) -> bytes:
    """A file of the `ftyp` box `head`, and the items with their contents by number."""
    start = len(head) + len(_meta(image, contents, 0)) + BOX_BYTES
    return head + _meta(image, contents, start) + box(b"mdat", b"".join(contents.values()))


def _brands(data: bytes, ftyp: Box) -> bytes:
    reader = Reader(data, ftyp.start, ftyp.end)
    major = reader.take(4)
    reader.number(4)
    rest = reader.rest()
    others = [rest[at : at + 4] for at in range(0, len(rest), 4)]
    kept = [brand for brand in (major, *others) if brand in BRANDS]
    return box(b"ftyp", kept[0] + bytes(4) + b"".join(dict.fromkeys(kept)))


def _content(image: Image, number: int, item: Item) -> bytes:
    """The data of an item, without what a decoder doesn't need."""
    if item.kind not in CONTENTS:
        raise damaged()
    parts = sum(len(each.others) for each in image.references if (each.kind, each.item) == (DERIVED, number))
    content = CONTENTS[item.kind](item, parts)
    if not content and item.kind != IDENTITY:
        raise damaged()
    return content


def _grid(item: Item, _: int) -> bytes:
    """A grid (23008-12, 6.6.2.3)."""
    return item.data[: 12 if item.data[1] & 1 else 8]


def _overlay(item: Item, parts: int) -> bytes:
    """An overlay (6.6.2.2): a colour, its size, and the place of each part."""
    size = 4 if item.data[1] & 1 else 2
    return item.data[: 2 + 8 + 2 * size + 2 * size * parts]


CONTENTS: Mapping[bytes, Callable[[Item, int], bytes]] = MappingProxyType(
    {
        b"av01": lambda item, _: av1_data(item.data),
        b"hvc1": lambda item, _: hevc_data(item.data, item.property(HEVC)),
        b"grid": _grid,
        b"iovl": _overlay,
        IDENTITY: lambda _, __: b"",
    }
)
"""By type of item: its data and the number of its parts lead to the data that is kept."""


def _meta(image: Image, contents: Mapping[int, bytes], start: int) -> bytes:
    """The `meta` box; the data of the items is at `start`, one after the other."""
    return full_box(
        b"meta",
        full_box(b"hdlr", HANDLER)
        + full_box(b"pitm", struct.pack(">H", image.primary))
        + _locations(contents, start)
        + _infos(image)
        + _references(image)
        + _properties(image),
    )


def _locations(contents: Mapping[int, bytes], at: int) -> bytes:
    entries = []
    for number, content in contents.items():
        extent = struct.pack(">II", at, len(content)) if content else b""
        entries.append(struct.pack(">HHH", number, 0, bool(extent)) + extent)
        at += len(content)
    return full_box(
        b"iloc", struct.pack(">HH", OFFSET_SIZE_4_LENGTH_SIZE_4, len(entries)) + b"".join(entries)
    )


def _infos(image: Image) -> bytes:
    entries = (
        full_box(b"infe", struct.pack(">HH4sx", number, 0, item.kind), 2, item.is_hidden)
        for number, item in image.items.items()
    )
    return full_box(b"iinf", struct.pack(">H", len(image.items)) + b"".join(entries))


def _references(image: Image) -> bytes:
    entries = [
        box(each.kind, struct.pack(f">HH{len(each.others)}H", each.item, len(each.others), *each.others))
        for each in image.references
    ]
    return full_box(b"iref", b"".join(entries)) if entries else b""


def _properties(image: Image) -> bytes:
    used = (each for item in image.items.values() for each, _ in item.properties)
    indices = {each: index for index, each in enumerate(dict.fromkeys(used), 1)}
    owners = b"".join(_associations(number, item, indices) for number, item in image.items.items())
    ipma = full_box(b"ipma", struct.pack(">I", len(image.items)) + owners, flags=LONG_INDICES)
    return box(b"iprp", box(b"ipco", b"".join(box(*each) for each in indices)) + ipma)


def _associations(number: int, item: Item, indices: Mapping[Property, int]) -> bytes:
    values = [indices[each] | (ESSENTIAL if essential else 0) for each, essential in item.properties]
    return struct.pack(f">HB{len(values)}H", number, len(values), *values)
