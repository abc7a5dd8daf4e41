"""Items of AVIF and HEIC (14496-12, 8.11): reads those that the primary one needs."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from msgspec import Struct

from tintype.imaging.errors import damaged
from tintype.imaging.headers.boxes import Box, FullReader, Reader, whole_boxes
from tintype.imaging.metadata.heif_boxes import unique
from tintype.imaging.metadata.heif_properties import AUXILIARY, ONCE, clean

IN_FILE, IN_IDAT = 0, 1
MAX_ITEMS, MAX_EXTENTS = 10_000, 100_000
SHORT_INFO, LONG_INFO = 2, 3
"""Versions of `infe` with types, and with numbers of two or four bytes."""
DERIVED, ALPHA_OF, PREMULTIPLIED, THUMBNAIL_OF = b"dimg", b"auxl", b"prem", b"thmb"
REQUIRED = frozenset((b"pitm", b"iinf", b"iloc", b"iprp"))

Property = tuple[bytes, bytes]
"""Type and content."""
Owned = tuple[bytes, bytes | None, bool]
"""Type, content if it is kept, and whether it is essential."""
Extent = tuple[int, int]
"""Start and end in the file."""


class Reference(Struct, frozen=True):
    """A reference by an item to others."""

    kind: bytes
    item: int
    others: list[int]


class Item(Struct, frozen=True):
    """An item: its type, whether it is hidden, its properties and whether they are essential, its data."""

    kind: bytes
    is_hidden: bool
    properties: list[tuple[Property, bool]]
    data: bytes

    def property(self, kind: bytes) -> bytes:
        """The content of a property; b"" if there is none."""
        return next((content for (each, content), _ in self.properties if each == kind), b"")


class Image(Struct, frozen=True):
    """The primary item and all that it needs, by number, and the references between them."""

    primary: int
    items: Mapping[int, Item]
    references: list[Reference]


def read(data: bytes, meta: Box) -> Image:
    """Read a `meta` box.

    Raises:
        ImageRefused: when it is damaged.
    """
    inner = unique(data, meta.start + 4, meta.end)
    if not inner.keys() >= REQUIRED:
        raise damaged()
    primary = FullReader(data, inner[b"pitm"]).number(2)
    kinds = _kinds(data, inner[b"iinf"])
    properties = _properties(data, inner[b"iprp"])
    references = list(_references(data, inner[b"iref"])) if b"iref" in inner else []
    alpha = {
        item
        for item, owned in properties.items()
        if any(kind == AUXILIARY and content is not None for kind, content, _ in owned)
    }
    needed = _needed(primary, [each for each in references if each.kind != ALPHA_OF or each.item in alpha])
    extents = _extents(data, inner[b"iloc"], inner.get(b"idat"))
    if not needed <= kinds.keys() or _is_secondary(primary, kinds[primary], references):
        raise damaged()
    contents = _contents(data, {item: extents.get(item, []) for item in needed})
    items = {item: Item(*kinds[item], _kept(properties[item]), contents[item]) for item in sorted(needed)}
    return Image(primary, items, list(_between(references, needed)))


def _is_secondary(item: int, kind: tuple[bytes, bool], references: list[Reference]) -> bool:
    """Whether an item is hidden, a thumbnail or auxiliary: some decoders ignore it as the primary one."""
    return kind[1] or any(each.item == item and each.kind in {ALPHA_OF, THUMBNAIL_OF} for each in references)


def _needed(primary: int, references: list[Reference]) -> set[int]:
    """The primary item, the parts of what is derived, and alpha."""
    required = defaultdict[int, list[int]](list)
    for reference in references:
        if reference.kind == DERIVED:
            required[reference.item] += reference.others
        elif reference.kind == ALPHA_OF:
            for owner in reference.others:
                required[owner].append(reference.item)
    found, waiting = {primary}, [primary]
    while waiting:
        for item in required[waiting.pop()]:
            if item not in found:
                found.add(item)
                waiting.append(item)
    return found


def _between(references: list[Reference], needed: set[int]) -> Iterator[Reference]:
    """The references between items that are needed."""
    for reference in references:
        others = [other for other in reference.others if other in needed]
        if reference.kind in {DERIVED, ALPHA_OF, PREMULTIPLIED} and reference.item in needed and others:
            yield Reference(reference.kind, reference.item, others)


def _kinds(data: bytes, iinf: Box) -> dict[int, tuple[bytes, bool]]:
    """Type and visibility of each item (8.11.6)."""
    found: dict[int, tuple[bytes, bool]] = {}
    wide = 4 if data[iinf.start] else 2
    for entry in whole_boxes(data, iinf.start + 4 + wide, iinf.end):
        reader = FullReader(data, entry)
        if entry.kind == b"infe" and reader.version in {SHORT_INFO, LONG_INFO}:
            item = reader.number(2 if reader.version == SHORT_INFO else 4)
            reader.number(2)
            if item in found:
                raise damaged()
            found[item] = reader.take(4), bool(reader.flags & 1)
    return found


def _kept(properties: list[Owned]) -> list[tuple[Property, bool]]:
    """The properties of an item that are kept.

    Raises:
        ImageRefused: when one isn't known that a decoder has to know, or there are two where decoders take
            either the first or the last.
    """
    if any(content is None and is_essential for _, content, is_essential in properties):
        raise damaged()
    described = [kind for kind, *_ in properties if kind in ONCE]
    if len(set(described)) != len(described):
        raise damaged()
    return [((kind, content), essential) for kind, content, essential in properties if content is not None]


def _properties(data: bytes, iprp: Box) -> defaultdict[int, list[Owned]]:
    """The properties of each item (23008-12, 9.3)."""
    inner = list(whole_boxes(data, iprp.start, iprp.end))
    containers = [box for box in inner if box.kind == b"ipco"]
    if len(containers) != 1:
        raise damaged()
    properties = whole_boxes(data, containers[0].start, containers[0].end)
    written = [(each.kind, clean(each.kind, data[each.start : each.end])) for each in properties]
    found = defaultdict[int, list[Owned]](list)
    for box in inner:
        for item, associated in _associations(data, box) if box.kind == b"ipma" else ():
            if item in found:
                raise damaged()
            found[item] = [(*written[index - 1], is_essential) for index, is_essential in associated if index]
    return found


def _associations(data: bytes, ipma: Box) -> Iterator[tuple[int, list[tuple[int, bool]]]]:
    """Of each item, the indices of its properties, from 1, and whether they are essential."""
    reader = FullReader(data, ipma)
    size = 2 if reader.flags & 1 else 1
    for _ in range(reader.number(4)):
        item = reader.number(4 if reader.version else 2)
        numbers, essential = [reader.number(size) for _ in range(reader.number(1))], 1 << (8 * size - 1)
        yield item, [(number & (essential - 1), bool(number & essential)) for number in numbers]


def _references(data: bytes, iref: Box) -> Iterator[Reference]:
    """All references (8.11.12)."""
    wide = 4 if data[iref.start] else 2
    for each in whole_boxes(data, iref.start + 4, iref.end):
        reader = Reader(data, each.start, each.end)
        item = reader.number(wide)
        yield Reference(each.kind, item, [reader.number(wide) for _ in range(reader.number(2))])


def _extents(data: bytes, iloc: Box, idat: Box | None) -> dict[int, list[Extent]]:
    """Where the data of each item is (8.11.3)."""
    reader = FullReader(data, iloc)
    sizes = reader.number(2)
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    wide = 4 if reader.version > 1 else 2
    found: dict[int, list[Extent]] = {}
    left = MAX_EXTENTS
    for _ in range(min(reader.number(wide), MAX_ITEMS)):
        item = reader.number(wide)
        method = reader.number(2) & 15 if reader.version else IN_FILE
        is_elsewhere = reader.number(2)
        start, end = _range(data, idat, method)
        start += reader.number(base_size)
        count = reader.number(2)
        left -= count
        if left < 0 or is_elsewhere or item in found:
            raise damaged()
        extents = []
        for _ in range(count):
            reader.number(index_size if reader.version else 0)
            at, length = start + reader.number(offset_size), reader.number(length_size)
            extents.append((at, at + length if at + length <= end else at))
        found[item] = extents
    return found


def _range(data: bytes, idat: Box | None, method: int) -> Extent:
    """What offsets of a construction method refer to; nothing if it isn't known."""
    if method == IN_FILE:
        return 0, len(data)
    return (idat.start, idat.end) if idat and method == IN_IDAT else (0, 0)


def _contents(data: bytes, needed: Mapping[int, list[Extent]]) -> dict[int, bytes]:
    """The data of items.

    Raises:
        ImageRefused: when an extent is empty or beyond the end, or they overlap.
    """
    extents = [extent for several in needed.values() for extent in several]
    if any(start >= end for start, end in extents) or sum(end - start for start, end in extents) > len(data):
        raise damaged()
    return {item: b"".join(data[start:end] for start, end in several) for item, several in needed.items()}
