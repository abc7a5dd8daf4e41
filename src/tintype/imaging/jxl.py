"""JPEG XL: the header read by ourselves, so that a bomb is known before it is decoded; reader and writer.

The header is that of ISO/IEC 18181-1 (the codestream) and 18181-2 (the boxes around it).
"""

import io
from array import array
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

import pyvips

from tintype.imaging.errors import ImageRefused, Reason, damaged
from tintype.imaging.formats import Option
from tintype.imaging.packages import from_pixels, reading

SIGNATURE = b"\xff\x0a"
HEADER_BYTES = 512  # of the codestream; all that is asked for stands before the first name of a channel
MAX_BOXES = 64  # before the codestream
FIRST_TURNED = 5  # orientations 5 to 8 lie on their side
RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
SIDE_BITS = ((1, 9), (1, 13), (1, 18), (1, 30))
ALPHA = 0
MAX_CHANNELS = 8
BEST = 100
GREY_16, FLOATS = "I;16", "F"
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}

Choice = Sequence[tuple[int, int]]  # of four: what to add, to how many bits


class Bits:
    """Bits from the lowest of the first byte on."""

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
        """Two bits choose how many more there are, and what is added to them."""
        more, bits = choice[self.number(2)]
        return more + self.number(bits)


def header(file: BinaryIO) -> tuple[int, int, bool]:
    """Width and height as people see them, and whether there is alpha.

    Raises ImageRefused: damaged, or unsupported where it is an animation.
    """
    bits = Bits(_codestream(file))
    if bits.number(16) != int.from_bytes(SIGNATURE, "little"):
        raise damaged()
    width, height = _size(bits)
    if bits.flag():  # all metadata as usual
        return width, height, False
    turned = bits.flag() and _is_turned(bits)
    has_alpha = _has_alpha(bits)
    return (height, width, has_alpha) if turned else (width, height, has_alpha)


def read(data: bytes) -> pyvips.Image:
    """The picture, upright, in memory at 8 bits, with its profile.

    Raises:
        ImageRefused: damaged, too costly; unsupported where it is an animation.
    """
    width, height, _ = header(io.BytesIO(data))
    with reading():
        return _decoded(data, (width, height))


def _decoded(data: bytes, size: tuple[int, int]) -> pyvips.Image:
    from pillow_jxl import Decoder  # noqa: PLC0415  an extra

    is_jpeg, info, pixels, profile, _boxes = Decoder(num_threads=0)(data)
    if is_jpeg:
        return _unpacked(pixels, size)
    if info.mode == GREY_16:  # little-endian: the second byte is the upper one
        return from_pixels(pixels[1::2], size, 1, profile)
    if info.mode.startswith(FLOATS):
        levels = bytes(min(255, max(0, round(255 * value))) for value in array("f", pixels))
        return from_pixels(levels, size, 1, profile)
    return from_pixels(pixels, size, len(info.mode), profile)


def _unpacked(jpeg: bytes, size: tuple[int, int]) -> pyvips.Image:
    """A JPEG XL file can be a JPEG file packed anew, and is then unpacked to just that."""
    image = pyvips.Image.jpegload_buffer(jpeg, access="sequential", fail_on="error")
    if sorted((image.width, image.height)) != sorted(size):
        raise damaged()
    return image.copy_memory().autorot()


def write(image: pyvips.Image, options: Mapping[str, Option]) -> bytes:
    """Pixels of 8 bits, grey or sRGB, as a file of the format; options are called as libvips' savers do."""
    import pillow_jxl  # noqa: PLC0415  an extra

    told = {
        "lossless": bool(options.get("lossless")),
        "quality": float(options.get("Q", BEST)),
        "effort": int(options["effort"]),
        "num_threads": 0,
    }
    # Its type stubs are of an older version.
    encoder: Any = pillow_jxl.Encoder
    pixels = bytes(image.write_to_memory())
    data: bytes = encoder(MODES[image.bands], **told)(pixels, image.width, image.height, jpeg_encode=False)
    return data


def _codestream(file: BinaryIO) -> bytes:
    """The beginning of the codestream, which is the file or lies in one of its boxes."""
    head = file.read(12)
    if head.startswith(SIGNATURE):
        return head + file.read(HEADER_BYTES)
    for _ in range(MAX_BOXES):
        kind, length = _box(file)
        if kind in {b"jxlc", b"jxlp"}:
            # The parts of `jxlp` are numbered; they come in order.
            return file.read(HEADER_BYTES + 4)[4 if kind == b"jxlp" else 0 :]
        file.seek(length, 1)
    raise damaged()


def _box(file: BinaryIO) -> tuple[bytes, int]:
    """The type of the box that begins here, and how many bytes lie in it (ISO/IEC 14496-12, 4.2)."""
    head = file.read(8)
    length, before = int.from_bytes(head[:4]), 8
    if length == 1:
        length, before = int.from_bytes(file.read(8)), 16
    # The last box may have length 0, to the end; behind it there is nothing more for us.
    if len(head) < 8 or 0 < length < before:  # noqa: PLR2004  the bytes of a header
        raise damaged()
    return head[4:], max(0, length - before)


def _size(bits: Bits) -> tuple[int, int]:
    eights = bits.flag()
    height = _side(bits, eights=eights)
    ratio = bits.number(3)
    if not ratio:
        return _side(bits, eights=eights), height
    across, down = RATIOS[ratio - 1]
    return height * across // down, height


def _side(bits: Bits, *, eights: bool) -> int:
    return 8 * (1 + bits.number(5)) if eights else bits.one_of(SIDE_BITS)


def _is_turned(bits: Bits) -> bool:
    orientation = 1 + bits.number(3)
    if bits.flag():  # the size that it is meant to be shown at
        _size(bits)
    if bits.flag():
        _pass_preview(bits)
    if bits.flag():
        raise ImageRefused(Reason.UNSUPPORTED, "Animated JXL pictures aren't accepted.")
    return orientation >= FIRST_TURNED


def _pass_preview(bits: Bits) -> None:
    eights = bits.flag()
    choice = ((16, 0), (32, 0), (1, 5), (33, 9)) if eights else ((1, 6), (65, 8), (321, 10), (1345, 12))
    bits.one_of(choice)
    if not bits.number(3):
        bits.one_of(choice)


def _has_alpha(bits: Bits) -> bool:
    """Whether one of the channels beyond colour is alpha; only the first few are looked at."""
    _pass_depth(bits)
    bits.flag()  # whether 16 bits are enough for what is computed with
    channels = bits.one_of(((0, 0), (1, 0), (2, 4), (1, 12)))
    return any(_is_alpha(bits) for _ in range(min(channels, MAX_CHANNELS)))


def _is_alpha(bits: Bits) -> bool:
    if bits.flag():  # all as usual, which is alpha
        return True
    kind = bits.one_of(((0, 0), (1, 0), (2, 4), (18, 6)))
    if kind == ALPHA:
        return True
    _pass_depth(bits)
    bits.one_of(((0, 0), (3, 0), (4, 0), (1, 3)))
    for _ in range(bits.one_of(((0, 0), (0, 4), (16, 5), (48, 10)))):
        bits.number(8)
    _pass_own(bits, kind)
    return False


def _pass_own(bits: Bits, kind: int) -> None:
    """What spot colours (2) and colour filter arrays (5) have besides."""
    if kind == 2:  # noqa: PLR2004  the number of the standard
        bits.number(4 * 16)
    if kind == 5:  # noqa: PLR2004  the same
        bits.one_of(((1, 0), (0, 2), (3, 4), (19, 8)))


def _pass_depth(bits: Bits) -> None:
    if bits.flag():  # floats
        bits.one_of(((32, 0), (16, 0), (24, 0), (1, 6)))
        bits.number(4)
    else:
        bits.one_of(((8, 0), (10, 0), (12, 0), (1, 6)))
