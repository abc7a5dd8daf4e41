"""What libvips' GIF decoder does otherwise than browsers: pixels that no frame covers, and missing rows.

A frame's pixels are inspected in a file of their own that has only this frame, with a palette in which the
colour of an index is the index as grey. The decoder leaves pixels transparent for which there is no data.
"""

import struct
from collections.abc import Iterator, Sequence

import pyvips

from tintype.imaging.errors import damaged
from tintype.imaging.headers.gif import IMAGE, SCREEN, Frame, frames, sub_blocks_end
from tintype.imaging.source import Buffer, Source, content, mapped

INDICES = 256
GREYS = bytes(value for index in range(INDICES) for value in (index,) * 3)
INTERLACED, HAS_TABLE_OF_256 = 0x40, 0x87
TRANSPARENT, DISPOSAL, TO_BACKGROUND = 0x01, 0x1C, 0x08
MAX_CHECKED = 200
"""Maximum number of frames whose rows are looked for: each is decoded once or twice more."""


def as_in_browsers(source: Source) -> Source:
    """The source, changed so that what no frame covers is transparent, also after a frame is disposed of.

    GIF89a lets it have the background colour. Browsers make it transparent, and libvips does so if the frame
    has a transparent colour: it gets one that none of its pixels has. If there is no such, it is unchanged.

    Raises:
        ImageRefused: when it is damaged or too costly.
    """
    with mapped(source) as data:
        try:
            pending = list(_without_transparency(data))
        except (IndexError, struct.error):
            return source
        if not pending:
            return source
        changes = [(frame, _unused_index(data, frame)) for frame in pending]
    changed = bytearray(content(source))
    for frame, index in reversed(changes):
        if index is not None:
            _set_transparent_index(changed, frame, index)
    return bytes(changed)


def check_rows(data: Buffer) -> None:
    """Check that the pixels of each frame are all there.

    Raises:
        ImageRefused: when some are missing.
        pyvips.Error: when a frame can't be decoded.
    """
    for number, frame in enumerate(frames(data)):
        if number == MAX_CHECKED:
            return
        if frame.width and frame.height and _lacks_pixels(data, frame):
            raise damaged()


def _without_transparency(data: Buffer) -> Iterator[Frame]:
    """The frames that need a transparent colour and have none."""
    found = list(frames(data))
    screen = (0, 0, *struct.unpack_from("<HH", data, SCREEN))
    is_covered = found[0].covers(screen) or any(_is_transparent(data, frame) for frame in found)
    for number, frame in enumerate(found):
        if (number == 0 and not is_covered) or _uncovers(data, found, number):
            yield frame


def _uncovers(data: Buffer, found: Sequence[Frame], number: int) -> bool:
    """Whether a frame is restored to the background, and the next one shows that."""
    frame, rest = found[number], found[number + 1 :]
    if frame.control is None or data[frame.control] & DISPOSAL != TO_BACKGROUND or not rest:
        return False
    after = rest[0]
    is_hidden = after.covers((frame.left, frame.top, frame.width, frame.height))
    return not _is_transparent(data, frame) and (not is_hidden or _is_transparent(data, after))


def _is_transparent(data: Buffer, frame: Frame) -> bool:
    return frame.control is not None and bool(data[frame.control] & TRANSPARENT)


def _set_transparent_index(data: bytearray, frame: Frame, index: int) -> None:
    if frame.control is None:
        data[frame.start - 1 : frame.start - 1] = _control(index)
    else:
        data[frame.control] |= TRANSPARENT
        data[frame.control + 3] = index


def _unused_index(data: Buffer, frame: Frame) -> int | None:
    """A colour that no pixel of a frame has; None if all 256 are used."""
    if data[frame.pixels] < 8:  # noqa: PLR2004  bits of an index
        return INDICES - 1
    indices, alpha = _decoded(data, frame, INDICES - 1)
    if alpha.min() == INDICES - 1:
        return INDICES - 1
    counts = memoryview(indices.hist_find().write_to_memory()).cast("I")
    return next((index for index in range(1, INDICES - 1) if not counts[index]), None)


def _lacks_pixels(data: Buffer, frame: Frame) -> bool:
    """Whether pixels are transparent whichever of two colours is."""
    _, alpha = _decoded(data, frame, INDICES - 1)
    if alpha.min() == INDICES - 1:
        return False
    _, other = _decoded(data, frame, INDICES - 2)
    return bool((alpha | other).min() == 0)


def _decoded(data: Buffer, frame: Frame, transparent: int) -> tuple[pyvips.Image, pyvips.Image]:
    """The indices of a frame's pixels, and their alpha: 0 for one index, and where there is no data."""
    size = struct.pack("<HH", frame.width, frame.height)
    flags = data[frame.start + 8] & INTERLACED | HAS_TABLE_OF_256
    file = b"".join(
        (
            b"GIF89a" + size + bytes(3),
            _control(transparent),
            bytes((IMAGE,)) + bytes(4) + size + bytes((flags,)) + GREYS,
            data[frame.pixels : sub_blocks_end(data, frame.pixels + 1)],
            b";",
        )
    )
    image = pyvips.Image.gifload_buffer(file, fail_on="none").copy_memory()
    return image[0], image[image.bands - 1]


def _control(index: int) -> bytes:
    """A graphic control extension that makes one colour transparent."""
    return bytes((0x21, 0xF9, 4, TRANSPARENT, 0, 0, index, 0))
