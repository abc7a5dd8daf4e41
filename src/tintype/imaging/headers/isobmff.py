"""AVIF and HEIC (ISO/IEC 14496-12, 23008-12): parses the boxes that declare the sizes of images.

Boxes, items, properties and tiles of grids are counted, and their sizes added up, before libheif reads them.
"""

import struct
from collections.abc import Iterator
from itertools import islice

from msgspec import Struct

from tintype.imaging.colour_signal import ColourSignal, from_codes
from tintype.imaging.errors import ImageRefused, Reason, damaged
from tintype.imaging.headers.boxes import Box, FullReader, Reader, cut_boxes
from tintype.imaging.headers.header import Header, too_many
from tintype.imaging.headers.heif_properties import MAX_META_BYTES, Properties, Size, read_properties
from tintype.imaging.source import Buffer

MAX_ITEMS = 2000
"""Maximum number of images in the file, including tiles: 200 megapixels in tiles of 512 x 512 are 763."""
MAX_DEPTH = 4
"""Maximum depth of derived images: a rotated grid of tiles is two."""
MIN_TOTAL_PIXELS, MAX_TOTAL_RATIO = 16_000_000, 3
"""All images that the primary one needs may have this many pixels in total, or this multiple of its own; with
alpha, and tiles that extend beyond its edges, it is about twice."""
DERIVED, AUXILIARY = b"dimg", b"auxl"
PREMULTIPLIED = b"prem"
"""From an item to its alpha (23008-12, 6.10.1.2): its colours are multiplied by it."""
GRID, OVERLAY = b"grid", b"iovl"


class Meta(Struct, frozen=True):
    """The content of the `meta` box; items are identified by number.

    Attributes:
        primary: the item to show.
        references: by type, the items that an item refers to.
        properties: what is said of items.
        grids: sizes that grids declare.
    """

    primary: int
    references: dict[bytes, dict[int, list[int]]]
    properties: Properties
    grids: dict[int, Size]

    @property
    def parts(self) -> list[int]:
        """The items that the primary one is made of, if it is derived."""
        return self.references.get(DERIVED, {}).get(self.primary, [])


def header(data: Buffer) -> Header:
    """Parse the header. The size is before rotation; `whole_pixels` is the largest image that is decoded.

    Raises:
        ImageRefused: when it is damaged or too costly.
    """
    meta = _meta(data)
    items = _required_items(meta)
    if meta.primary not in meta.properties.sizes:
        raise damaged()
    sizes = [
        size for item in items for size in (meta.properties.sizes.get(item), meta.grids.get(item)) if size
    ]
    width, height = max(
        (meta.properties.sizes[meta.primary], meta.grids.get(meta.primary, (1, 1))), key=_pixels
    )
    total = sum(map(_pixels, sizes))
    if total > max(MIN_TOTAL_PIXELS, MAX_TOTAL_RATIO * width * height):
        raise too_many("pixels in its parts", max(MIN_TOTAL_PIXELS, MAX_TOTAL_RATIO * width * height))
    shown = meta.properties.shown.get(meta.primary, (width, height))
    return Header(
        width=min(width, shown[0]),
        height=min(height, shown[1]),
        whole_pixels=max(map(_pixels, sizes)),
        file_bytes=len(data),
        colour=_colour(meta),
        is_premultiplied=meta.primary in meta.references.get(PREMULTIPLIED, {}),
    )


def _colour(meta: Meta) -> ColourSignal | None:
    """The colour space of the primary item, or of what it is made of; None: sRGB, or that of a profile.

    A profile has priority (MIAF, 7.3.6.4). The decoder expands limited range, but not if there is no chroma.
    """
    items = (meta.primary, *meta.parts)
    colours = [meta.properties.colours[item] for item in items if item in meta.properties.colours]
    if not colours or colours[0].has_profile or colours[0].codes is None:
        return None
    primaries, transfer, is_limited = colours[0].codes
    is_grey = not meta.properties.grey.isdisjoint(items)
    signal = from_codes(primaries, transfer, is_limited=is_limited and is_grey)
    return None if signal.is_srgb else signal


def _required_items(meta: Meta) -> list[int]:
    """The primary item and all that it depends on, as often as they are used, with their auxiliary items."""
    derived, auxiliary = meta.references.get(DERIVED, {}), meta.references.get(AUXILIARY, {})
    belonging: dict[int, list[int]] = {}
    for item, owners in auxiliary.items():
        for owner in owners:
            belonging.setdefault(owner, []).append(item)
    found, level = [meta.primary], [meta.primary]
    for _ in range(MAX_DEPTH):
        parts = (part for item in level for part in (*derived.get(item, ()), *belonging.get(item, ())))
        level = list(islice(parts, MAX_ITEMS + 1))
        found += level
        if len(found) > MAX_ITEMS:
            raise too_many("parts", MAX_ITEMS)
        if not level:
            return found
    raise too_many("levels of pictures made of pictures", MAX_DEPTH)


def _meta(data: Buffer) -> Meta:
    meta = next((box for box in cut_boxes(data, 0, len(data)) if box.kind == b"meta"), None)
    if meta is None:
        raise _without_picture(data)
    if meta.end - meta.start > MAX_META_BYTES:
        raise too_many("bytes that describe it", MAX_META_BYTES)
    # A version and flags come before its boxes (14496-12, 8.11.1).
    inner = {box.kind: box for box in cut_boxes(data, meta.start + 4, meta.end)}
    if not inner.keys() >= {b"pitm", b"iinf", b"iprp"}:
        raise _without_picture(data)
    primary = FullReader(data, inner[b"pitm"])
    wide = 4 if primary.version else 2
    grids = [item for item, kind in _items(data, inner[b"iinf"]) if kind == GRID]
    located = dict(_locations(data, inner)) if grids else {}
    return Meta(
        primary=primary.number(wide),
        references=_references(data, inner.get(b"iref")),
        properties=read_properties(data, inner[b"iprp"]),
        grids={item: _grid(data, located[item]) for item in grids if item in located},
    )


def _without_picture(data: Buffer) -> ImageRefused:
    """The error for a file without a primary item: it may be valid if it has a track (23008-12, 7)."""
    if not any(box.kind == b"moov" for box in cut_boxes(data, 0, len(data))):
        return damaged()
    return ImageRefused(
        Reason.UNSUPPORTED, "Image sequences in AVIF and HEIC without a still picture aren't accepted."
    )


def _items(data: Buffer, box: Box) -> Iterator[tuple[int, bytes]]:
    """Number and type of each item (8.11.6)."""
    wide = 4 if data[box.start] else 2
    for count, entry in enumerate(cut_boxes(data, box.start + 4 + wide, box.end)):
        if count >= MAX_ITEMS:
            raise too_many("items", MAX_ITEMS)
        numbers = FullReader(data, entry)
        item = numbers.number(4 if numbers.version > 2 else 2)  # noqa: PLR2004  the version with long numbers
        numbers.number(2)
        yield item, numbers.take(4)


def _references(data: Buffer, box: Box | None) -> dict[bytes, dict[int, list[int]]]:
    """The items that each item refers to, by type of reference (8.11.12)."""
    found: dict[bytes, dict[int, list[int]]] = {}
    if box is None:
        return found
    wide = 4 if data[box.start] else 2
    for reference in cut_boxes(data, box.start + 4, box.end):
        numbers = Reader(data, reference.start, reference.end)
        item = numbers.number(wide)
        others = [numbers.number(wide) for _ in range(numbers.number(2))]
        found.setdefault(reference.kind, {}).setdefault(item, []).extend(others)
    return found


def _locations(data: Buffer, inner: dict[bytes, Box]) -> Iterator[tuple[int, int]]:
    """The position of each item's first extent (8.11.3)."""
    if b"iloc" not in inner:
        return
    numbers = FullReader(data, inner[b"iloc"])
    sizes = numbers.number(2)
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    index_size = index_size if numbers.version else 0
    wide = 4 if numbers.version > 1 else 2
    idat = inner[b"idat"].start if b"idat" in inner else 0
    for _ in range(min(numbers.number(wide), MAX_ITEMS)):
        item = numbers.number(wide)
        in_idat = numbers.version > 0 and numbers.number(2) & 15 == 1
        numbers.number(2)
        base = numbers.number(base_size) + (idat if in_idat else 0)
        extents = numbers.number(2)
        if extents:
            numbers.number(index_size)
            yield item, base + numbers.number(offset_size)
            numbers.number(length_size)
            # Skipped at once: extents may have no bytes, so that nothing else bounds their number.
            numbers.take((extents - 1) * (index_size + offset_size + length_size))


def _grid(data: Buffer, at: int) -> Size:
    """The size that a grid declares (23008-12, 6.6.2.3.2)."""
    width, height = struct.unpack_from(">II" if data[at + 1] & 1 else ">HH", data, at + 4)
    return max(1, width), max(1, height)


def _pixels(size: Size) -> int:
    return size[0] * size[1]
