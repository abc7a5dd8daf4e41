"""JPEG XL (ISO/IEC 18181-1: codestream, 18181-2: container): parses the header up to the extra channels."""

from collections.abc import Sequence

from tintype.imaging.errors import ImageRefused, Reason, damaged
from tintype.imaging.headers.boxes import boxes, whole_boxes
from tintype.imaging.headers.header import Header, too_many
from tintype.imaging.source import Buffer

SIGNATURE = b"\xff\x0a"
HEADER_BYTES = 512  # of the codestream; enough for all fields before the first channel name
MAX_BOXES = 1000
"""Maximum number of boxes up to the end of the codestream's header."""
PART_BYTES, LAST_PART = 4, 0x8000_0000
"""A part of the codestream begins with its number; the highest bit of the last one is set."""
FIRST_TRANSPOSED = 5  # orientations 5 to 8 swap width and height
RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
SIDE_BITS = ((1, 9), (1, 13), (1, 18), (1, 30))
ALPHA = 0
MAX_CHANNELS = 8
"""Maximum number of extra channels; all are decoded, whether they are shown or not."""

Choice = Sequence[tuple[int, int]]  # four pairs: offset, number of bits


class Bits:
    """A bit reader; the lowest bit of a byte comes first."""

    def __init__(self, data: bytes) -> None:
        self._rest, self._left = int.from_bytes(data, "little"), len(data) * 8

    def number(self, bits: int) -> int:
        """The next bits as a number."""
        self._left -= bits
        if self._left < 0:
            raise damaged()
        value = self._rest & ((1 << bits) - 1)
        self._rest >>= bits
        return value

    def flag(self) -> bool:
        """The next bit."""
        return bool(self.number(1))

    def one_of(self, choice: Choice) -> int:
        """A U32 field: two bits select the offset and the number of further bits."""
        more, bits = choice[self.number(2)]
        return more + self.number(bits)


def header(data: Buffer) -> Header:
    """Parse the header; the size is after orientation.

    Raises:
        ImageRefused: when it is damaged, too costly, or an animation, which is unsupported.
    """
    bits = Bits(_start_of_codestream(data))
    if bits.number(16) != int.from_bytes(SIGNATURE, "little"):
        raise damaged()
    width, height = _size(bits)
    if bits.flag():  # all_default
        return Header(width=width, height=height, whole_pixels=width * height, file_bytes=len(data))
    if bits.flag() and _is_transposed(bits):
        width, height = height, width
    channels, has_alpha = _channels(bits)
    return Header(
        width=width,
        height=height,
        has_alpha=has_alpha,
        bands=3 + channels,
        whole_pixels=width * height,
        file_bytes=len(data),
    )


def codestream(data: Buffer) -> bytes:
    """The whole codestream: the file itself, or the content of one or several boxes.

    Raises:
        ImageRefused: when it is damaged or too costly.
    """
    if data[:2] == SIGNATURE:
        return data[:]
    parts: list[bytes] = []
    for box in whole_boxes(data, 0, len(data)):
        if box.kind == b"jxlc":
            return data[box.start : box.end]
        if box.kind == b"jxlp":
            number = int.from_bytes(data[box.start : box.start + PART_BYTES])
            if number & ~LAST_PART != len(parts):
                raise damaged()
            parts.append(data[box.start + PART_BYTES : box.end])
            if number & LAST_PART:
                break
    return b"".join(parts)


def _start_of_codestream(data: Buffer) -> bytes:
    """The beginning of the codestream: the file itself, or the content of one or several boxes."""
    if data[:2] == SIGNATURE:
        return data[:HEADER_BYTES]
    found = b""
    for box in boxes(data, 0, len(data), MAX_BOXES):
        if box.kind == b"jxlc":
            return data[box.start : min(box.end, box.start + HEADER_BYTES)]
        if box.kind == b"jxlp":
            start = box.start + PART_BYTES
            found += data[start : min(box.end, start + HEADER_BYTES)]
        if len(found) >= HEADER_BYTES:
            break
    return found


def _size(bits: Bits) -> tuple[int, int]:
    is_multiple_of_8 = bits.flag()
    height = _side(bits, is_multiple_of_8=is_multiple_of_8)
    ratio = bits.number(3)
    if not ratio:
        return _side(bits, is_multiple_of_8=is_multiple_of_8), height
    numerator, denominator = RATIOS[ratio - 1]
    return height * numerator // denominator, height


def _side(bits: Bits, *, is_multiple_of_8: bool) -> int:
    return 8 * (1 + bits.number(5)) if is_multiple_of_8 else bits.one_of(SIDE_BITS)


def _is_transposed(bits: Bits) -> bool:
    orientation = 1 + bits.number(3)
    if bits.flag():  # intrinsic size
        _size(bits)
    if bits.flag():
        _skip_preview(bits)
    if bits.flag():
        raise ImageRefused(Reason.UNSUPPORTED, "Animated JXL pictures aren't accepted.")
    return orientation >= FIRST_TRANSPOSED


def _skip_preview(bits: Bits) -> None:
    is_multiple_of_8 = bits.flag()
    choice = (
        ((16, 0), (32, 0), (1, 5), (33, 9)) if is_multiple_of_8 else ((1, 6), (65, 8), (321, 10), (1345, 12))
    )
    bits.one_of(choice)
    if not bits.number(3):
        bits.one_of(choice)


def _channels(bits: Bits) -> tuple[int, bool]:
    """The number of extra channels, and whether one of them is alpha."""
    _skip_bit_depth(bits)
    bits.flag()  # modular_16bit_buffers
    channels = bits.one_of(((0, 0), (1, 0), (2, 4), (1, 12)))
    if channels > MAX_CHANNELS:
        raise too_many("channels", MAX_CHANNELS)
    return channels, any(_is_alpha(bits) for _ in range(channels))


def _is_alpha(bits: Bits) -> bool:
    if bits.flag():  # d_alpha: all fields have their defaults
        return True
    kind = bits.one_of(((0, 0), (1, 0), (2, 4), (18, 6)))
    if kind == ALPHA:
        return True
    _skip_bit_depth(bits)
    bits.one_of(((0, 0), (3, 0), (4, 0), (1, 3)))
    for _ in range(bits.one_of(((0, 0), (0, 4), (16, 5), (48, 10)))):
        bits.number(8)
    _skip_type_fields(bits, kind)
    return False


def _skip_type_fields(bits: Bits, kind: int) -> None:
    """Skip the additional fields of spot colours (2) and colour filter arrays (5)."""
    if kind == 2:  # noqa: PLR2004  the number of the standard
        bits.number(4 * 16)
    if kind == 5:  # noqa: PLR2004  the same
        bits.one_of(((1, 0), (0, 2), (3, 4), (19, 8)))


def _skip_bit_depth(bits: Bits) -> None:
    if bits.flag():  # floats
        bits.one_of(((32, 0), (16, 0), (24, 0), (1, 6)))
        bits.number(4)
    else:
        bits.one_of(((8, 0), (10, 0), (12, 0), (1, 6)))
