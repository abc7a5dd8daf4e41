"""The properties of items of AVIF and HEIC (ISO/IEC 23008-12, 6.5): sizes and colours."""

import struct
from collections.abc import Iterator

from msgspec import Struct, field
from msgspec.structs import replace

from tintype.imaging.headers.boxes import Box, FullReader, cut_boxes
from tintype.imaging.headers.header import check_profile
from tintype.imaging.source import Buffer

MAX_META_BYTES = 4 * 1024 * 1024
"""Maximum size of the `meta` box."""
PROFILES = frozenset((b"prof", b"rICC"))
MONOCHROME, FULL_RANGE = 0x10, 0x80
"""Bits of `av1C` (AV1-ISOBMFF, 2.3.3) and of `nclx`."""

Size = tuple[int, int]


class Colour(Struct, frozen=True):
    """The `colr` properties of an item: whether one is a profile; primaries, transfer, and limited range."""

    has_profile: bool = False
    codes: tuple[int, int, bool] | None = None


class Properties(Struct, frozen=True):
    """By item.

    Attributes:
        sizes: decoded sizes (`ispe`).
        shown: sizes after cropping (`clap`): encoders pad images to whole blocks.
        colours: colour spaces (`colr`).
        grey: those that have no chroma (`av1C`).
    """

    sizes: dict[int, Size] = field(default_factory=dict)
    shown: dict[int, Size] = field(default_factory=dict)
    colours: dict[int, Colour] = field(default_factory=dict)
    grey: set[int] = field(default_factory=set)


def read_properties(data: Buffer, box: Box) -> Properties:
    """Parse the `iprp` box.

    Raises:
        ImageRefused: when it is damaged or too costly.
    """
    inner = list(cut_boxes(data, box.start, box.end))
    owned = [each for each in inner if each.kind == b"ipco"]
    properties = list(cut_boxes(data, owned[0].start, owned[0].end)) if owned else []
    for each in properties:
        if each.kind == b"colr" and data[each.start : each.start + 4] in PROFILES:
            check_profile(each.end - each.start)
    found = Properties()
    for association in (each for each in inner if each.kind == b"ipma"):
        for item, index in _associations(data, association):
            if 0 < index <= len(properties):
                _add(found, item, data, properties[index - 1])
    return found


def _add(found: Properties, item: int, data: Buffer, each: Box) -> None:
    """Add a property of an item; of several sizes the largest counts."""
    if each.kind == b"ispe":
        width, height = struct.unpack_from(">II", data, each.start + 4)
        found.sizes[item] = max(found.sizes.get(item, (1, 1)), (width, height), key=_pixels)
    elif each.kind == b"clap":
        found.shown[item] = _aperture(data, each.start)
    elif each.kind == b"colr":
        found.colours[item] = _with_colour(found.colours.get(item, Colour()), data, each)
    elif each.kind == b"av1C" and data[each.start + 2] & MONOCHROME:
        found.grey.add(item)


def _aperture(data: Buffer, at: int) -> Size:
    """The size in a `clap` property: two fractions (14496-12, 12.1.4)."""
    width, of_width, height, of_height = struct.unpack_from(">4I", data, at)
    return max(1, round(width / max(1, of_width))), max(1, round(height / max(1, of_height)))


def _with_colour(colour: Colour, data: Buffer, box: Box) -> Colour:
    """With one `colr` property more (14496-12, 12.1.5)."""
    kind = data[box.start : box.start + 4]
    if kind in PROFILES:
        return replace(colour, has_profile=True)
    if kind != b"nclx" or colour.codes:
        return colour
    primaries, transfer, _, flags = struct.unpack_from(">3HB", data, box.start + 4)
    return replace(colour, codes=(primaries, transfer, not flags & FULL_RANGE))


def _associations(data: Buffer, box: Box) -> Iterator[tuple[int, int]]:
    """Pairs of an item and the index, from 1, of one of its properties."""
    numbers = FullReader(data, box)
    wide, long = (4 if numbers.version else 2), numbers.flags & 1
    for _ in range(min(numbers.number(4), MAX_META_BYTES)):
        item = numbers.number(wide)
        for _ in range(numbers.number(1)):
            yield item, numbers.number(2) & 0x7FFF if long else numbers.number(1) & 0x7F


def _pixels(size: Size) -> int:
    return size[0] * size[1]
