"""BMP and ICO: every kind is shown as Pillow shows it, or by arithmetic where Pillow can't."""

import struct
import time
from collections.abc import Sequence

import pytest
from PIL import Image

from tests import bitmaps, pictures
from tests.bitmaps import BITFIELDS, CORE, RLE4, RLE8, V2, V3, V4, V5, bmp, icon, icon_bitmap
from tintype.imaging import Format, ImageRefused, Limits, Reason, Recipe, inspect, render, verify
from tintype.imaging.metadata import strip

Colour = tuple[int, ...]


def numbers(width: int, height: int, most: int) -> list[list[int]]:
    """Pixels in which rows and neighbours differ, and some runs are long."""
    return [[(x // 3 * 7 + y * 5 + (x % 5 == 0)) % (most + 1) for x in range(width)] for y in range(height)]


def shown(data: bytes) -> Image.Image:
    """What is shown, after the checks of an upload."""
    verify(data, inspect(data))
    return rgba(render(data, Recipe(format=Format.PNG)).data)


def rgba(data: bytes) -> Image.Image:
    """What Pillow sees, without what the file says besides: that would count in a comparison."""
    image = pictures.decode(data).convert("RGBA")
    return Image.frombytes("RGBA", image.size, image.tobytes())


def pixels_of(rows: Sequence[Sequence[Colour]]) -> Image.Image:
    flat = bytes(level for row in rows for colour in row for level in (*colour, 255)[:4])
    return Image.frombytes("RGBA", (len(rows[0]), len(rows)), flat)


PALETTE = [(at * 7 % 256, 255 - at, at * 13 % 256) for at in range(256)]
SIZES = [(1, 1), (7, 3), (8, 5), (31, 4), (33, 9), (100, 41)]


@pytest.mark.parametrize("is_top_down", [False, True])
@pytest.mark.parametrize("header", [CORE, 16, 40, 64, V4, V5])
@pytest.mark.parametrize("bits", [1, 2, 4, 8, 24])
@pytest.mark.parametrize("size", SIZES)
def test_bits_and_headers(size: tuple[int, int], bits: int, header: int, *, is_top_down: bool) -> None:
    if is_top_down and header == CORE:
        return  # its height has no sign
    most = min(2**bits - 1, 0xFFFFFF)
    rows = numbers(*size, most)
    palette = PALETTE[: 2**bits] if bits <= 8 else []
    data = bmp(rows, bits, header=header, palette=palette, is_top_down=is_top_down)
    expected = pixels_of(
        [[PALETTE[n] if bits <= 8 else (n >> 16, n >> 8 & 255, n & 255) for n in row] for row in rows]
    )
    assert shown(data) == expected
    if bits != 2 and header != 16:
        assert rgba(data) == expected  # Pillow agrees with the arithmetic


def masked(number: int, mask: int) -> int:
    """The bits of a mask, as a level of 255."""
    shift = (mask & -mask).bit_length() - 1
    return round((number & mask) * 255 / (mask >> shift << shift)) if mask else 0


MASKS = {
    "5-5-5": (16, (0x7C00, 0x03E0, 0x001F)),
    "5-6-5": (16, (0xF800, 0x07E0, 0x001F)),
    "4-4-4-4": (16, (0x0F00, 0x00F0, 0x000F, 0xF000)),
    "1-5-5-5": (16, (0x7C00, 0x03E0, 0x001F, 0x8000)),
    "8-8-8": (32, (0xFF0000, 0xFF00, 0xFF)),
    "8-8-8-8": (32, (0xFF0000, 0xFF00, 0xFF, 0xFF000000)),
    "RGBA": (32, (0xFF, 0xFF00, 0xFF0000, 0xFF000000)),
    "ARGB": (32, (0xFF00, 0xFF0000, 0xFF000000, 0xFF)),
    "10-10-10-2": (32, (0x3FF00000, 0xFFC00, 0x3FF, 0xC0000000)),
    "3-3-2": (32, (0xE0, 0x1C, 0x03)),
}


@pytest.mark.parametrize("header", [40, V2, V3, V4, V5])
@pytest.mark.parametrize("name", MASKS)
def test_masks(name: str, header: int) -> None:
    bits, masks = MASKS[name]
    compression = 6 if header <= V2 and len(masks) == 4 else BITFIELDS
    rows = [[n * 40503 % 2**bits for n in row] for row in numbers(21, 9, 2**bits - 1)]
    given = masks if header in {40, V2} else (*masks, 0)[:4]
    expected = [[tuple(masked(n, mask) for mask in masks) for n in row] for row in rows]
    found = pictures.pixels(shown(bmp(rows, bits, header=header, compression=compression, masks=given)))
    for got, wanted in zip(found, (colour for row in expected for colour in row), strict=True):
        if len(wanted) == 3 or wanted[3]:
            assert all(abs(a - b) <= 1 for a, b in zip(got, (*wanted, 255)[:4], strict=True)), (got, wanted)


def test_pixels_of_16_and_32_bits_without_masks_are_opaque() -> None:
    rows = numbers(13, 5, 2**16 - 1)
    expected = pixels_of(
        [[tuple(masked(n, mask) for mask in (0x7C00, 0x3E0, 0x1F)) for n in row] for row in rows]
    )
    assert shown(bmp(rows, 16)) == expected
    rows = numbers(13, 5, 2**24 - 1)
    expected = pixels_of([[(n >> 16, n >> 8 & 255, n & 255) for n in row] for row in rows])
    assert shown(bmp([[n | 0x30000000 for n in row] for row in rows], 32)) == expected
    assert not inspect(bmp(rows, 32)).has_alpha


@pytest.mark.parametrize("size", SIZES)
def test_run_lengths(size: tuple[int, int]) -> None:
    for bits, compression, code in ((8, RLE8, bitmaps.rle8), (4, RLE4, bitmaps.rle4)):
        rows = numbers(*size, 2**bits - 1)
        palette = PALETTE[: 2**bits]
        data = bmp(rows, bits, compression=compression, palette=palette, coded=code(rows))
        expected = pixels_of([[PALETTE[n] for n in row] for row in rows])
        assert shown(data) == expected
        assert rgba(data) == expected


def test_jumps_ends_and_runs_behind_the_end_of_a_row() -> None:
    blank = [[0] * 6 for _ in range(4)]
    # Two pixels, one to the right and one row up, two pixels; a run that is longer than its row; the end.
    coded = bytes((2, 1, 0, 2, 1, 1, 2, 2, 0, 0, 255, 3, 0, 1))
    expected = [row[:] for row in blank]
    expected[3][0:2] = [1, 1]
    expected[2][3:5] = [2, 2]
    expected[1] = [3] * 6
    data = bmp(blank, 8, compression=RLE8, palette=PALETTE[:4], coded=coded)
    assert shown(data) == pixels_of([[PALETTE[n] for n in row] for row in expected])


def test_codes_of_run_lengths_are_counted() -> None:
    rows = [[0] * 2000] * 2000
    data = bmp(rows, 8, compression=RLE8, palette=PALETTE, coded=b"\x01\x05" * 2_000_001)
    began = time.process_time()
    assert inspect(data).width == 2000  # nothing is decoded yet
    assert time.process_time() - began < 1
    assert refused(data) is Reason.TOO_COSTLY


def refused(data: bytes) -> Reason:
    with pytest.raises(ImageRefused) as caught:
        verify(data, inspect(data))
    return caught.value.reason


def test_a_bitmap_cut_short_is_damaged_but_for_the_padding_of_the_last_row() -> None:
    for bits, palette in ((1, PALETTE[:2]), (8, PALETTE), (24, ())):
        data = bmp(numbers(9, 9, 2**bits - 1), bits, palette=palette)
        padding = -(-(9 * bits) // 8) % 4
        assert shown(data[: len(data) - (4 - padding) % 4]) == shown(data)
        for cut in range(20, len(data) - (4 - padding) % 4, 7):
            assert refused(data[:cut]) in {Reason.DAMAGED, Reason.UNSUPPORTED}, (bits, cut)
    coded = bitmaps.rle8(rows := numbers(9, 9, 255))
    for cut in range(1, len(coded) - 2):
        data = bmp(rows, 8, compression=RLE8, palette=PALETTE, coded=coded[:cut])
        assert refused(data) is Reason.DAMAGED, cut


@pytest.mark.parametrize(
    ("bits", "compression", "words"),
    [(0, 4, "BMP compressed by JPEG (4)"), (0, 5, "PNG (5)"), (24, 11, "CMYK (11)"), (24, 99, "unknown"),
     (5, 0, "5 bits"), (64, 0, "64 bits"), (24, 3, "24 bits"), (8, 2, "8 bits")],
)  # fmt: skip
def test_other_bitmaps_are_unsupported(bits: int, compression: int, words: str) -> None:
    data = bytearray(bmp(numbers(8, 8, 1), 8, palette=PALETTE))
    struct.pack_into("<HI", data, 28, bits, compression)
    with pytest.raises(ImageRefused) as caught:
        inspect(bytes(data))
    assert caught.value.reason is Reason.UNSUPPORTED
    assert words in caught.value.sentence


def test_limits_are_held_against_the_header() -> None:
    data = bytearray(bmp(numbers(8, 8, 1), 24))
    struct.pack_into("<ii", data, 18, 30_000, 8)
    assert refused(bytes(data)) is Reason.TOO_LARGE_SIDE
    struct.pack_into("<ii", data, 18, 19_000, 19_000)
    assert refused(bytes(data)) is Reason.TOO_MANY_PIXELS
    runs = bytearray(bmp(numbers(8, 8, 1), 8, compression=RLE8, palette=PALETTE, coded=b"\0\1"))
    struct.pack_into("<ii", runs, 18, 8000, 8000)
    assert refused(bytes(runs)) is Reason.TOO_MANY_PIXELS  # they are held whole
    with pytest.raises(ImageRefused):
        inspect(bmp(numbers(8, 8, 1), 24), Limits(max_side=7))


def test_an_embedded_profile_counts() -> None:
    profile = pictures.red_green_swapped_profile()
    data = bmp([[0xFF0000] * 5] * 5, 24, header=V5, profile=profile)
    red, green, *_ = pictures.pixels(shown(data))[0]
    assert red < 100
    assert green > 200


def test_bytes_between_and_behind_are_no_part_of_it() -> None:
    rows = numbers(10, 10, 255)
    data = bmp(rows, 8, palette=PALETTE, gap=b"secret place" * 10) + b"secret time"
    assert shown(data) == shown(bmp(rows, 8, palette=PALETTE))
    assert b"secret" not in strip(data, Format.BMP)


def half(width: int, height: int) -> list[list[int]]:
    return [[int(x < width // 2) for x in range(width)] for _ in range(height)]


@pytest.mark.parametrize("bits", [1, 4, 8, 24, 32])
@pytest.mark.parametrize("size", [(16, 16), (33, 20), (255, 9)])
def test_bitmaps_of_icons_have_a_mask(size: tuple[int, int], bits: int) -> None:
    most = min(2**bits - 1, 0xFFFFFF)
    palette = PALETTE[: 2**bits] if bits <= 8 else []
    rows = numbers(*size, most)
    data = icon((*size, bits, icon_bitmap(rows, bits, half(*size), palette)))
    found = shown(data)
    assert found.size == size
    numbers_in_order = [number for row in rows for number in row]
    for at, (got, number) in enumerate(zip(pictures.pixels(found), numbers_in_order, strict=True)):
        colour = PALETTE[number] if bits <= 8 else (number >> 16, number >> 8 & 255, number & 255)
        assert got[3] == (0 if at % size[0] < size[0] // 2 else 255)
        assert got[:3] == colour or not got[3]


def test_alpha_of_an_icon_wins_over_its_mask() -> None:
    rows = [[0x40102030, 0xFF405060] * 8] * 16
    found = shown(icon((16, 16, 32, icon_bitmap(rows, 32, [[1] * 16] * 16))))
    assert pictures.pixels(found)[:2] == [(16, 32, 48, 64), (64, 80, 96, 255)]
    assert shown(icon((16, 16, 32, icon_bitmap(rows, 32, None)))) == found  # the mask may be missing


def test_the_largest_picture_is_taken_a_png_or_a_bitmap() -> None:
    small = icon_bitmap([[0xFF0000] * 16] * 16, 24, [[0] * 16] * 16)
    flat = icon_bitmap([[1] * 32] * 32, 1, [[0] * 32] * 32, [(0, 0, 0), (0, 0, 255)])
    deep = icon_bitmap([[0xFF00FF00] * 32] * 32, 32, [[0] * 32] * 32)
    large = pictures.png(256, 256, alpha=True)
    assert pictures.pixels(shown(icon((16, 16, 24, small), (32, 32, 1, flat))))[0] == (0, 0, 255, 255)
    assert pictures.pixels(shown(icon((32, 32, 32, deep), (32, 32, 1, flat))))[0] == (0, 255, 0, 255)
    found = icon((16, 16, 24, small), (256, 256, 32, large), (32, 32, 32, deep))
    assert shown(found) == rgba(large)
    assert (inspect(found).width, inspect(found).format) == (256, Format.ICO)


def test_icons_that_are_damaged() -> None:
    picture = pictures.png(64, 64)
    assert refused(icon((64, 64, 32, picture))[:-30]) is Reason.DAMAGED
    assert refused(icon((64, 64, 32, picture[:-30]))) is Reason.DAMAGED
    assert refused(icon((64, 64, 32, b"neither a PNG nor a bitmap"))) is Reason.DAMAGED
    short = icon_bitmap([[1] * 32] * 32, 24, None)
    assert refused(icon((32, 32, 24, short[:-100]))) is Reason.DAMAGED


def test_renditions_are_as_of_tiff() -> None:
    plain, deep = bmp([[0xFF0000] * 5] * 5, 24), pictures.encode(pictures.translucent(20, 20), "bmp")
    assert render(plain, Recipe()).format is Format.JPEG
    assert render(deep, Recipe()).format is Format.PNG
    assert render(icon((16, 16, 32, pictures.png(16, 16, alpha=True))), Recipe()).format is Format.PNG


@pytest.mark.parametrize("kind", ["bmp", "ico"])
def test_stripping_keeps_every_pixel(kind: str) -> None:
    rows = numbers(33, 20, 15)
    files = {
        "bmp": [
            bmp(rows, 4, palette=PALETTE[:16]),
            bmp(rows, 8, compression=RLE8, palette=PALETTE[:16], coded=bitmaps.rle8(rows)),
            bmp(rows, 32, header=V4, compression=BITFIELDS, masks=MASKS["RGBA"][1]),
            bmp([[0xFF0000] * 5] * 5, 24, header=V5, profile=pictures.red_green_swapped_profile()),
            bmp(rows, 24, header=CORE),
            bmp(rows, 8, palette=PALETTE[:16], coded=b"".join(bytes(row) + b"\xee" * 3 for row in rows)),
        ],
        "ico": [
            icon(
                (33, 20, 4, icon_bitmap(rows, 4, half(33, 20), PALETTE[:16])),
                (20, 20, 32, pictures.png(20, 20)),
            ),
            icon((64, 48, 32, pictures.with_gps(64, 48, "png"))),
        ],
    }[kind]
    for data in files:
        left = strip(data + b"secret", Format(kind))
        assert shown(left) == shown(data)
        assert b"secret" not in left
        assert b"Secret" not in left
        assert b"\xee" * 3 not in left
        assert strip(left, Format(kind)) == left
