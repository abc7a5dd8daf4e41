"""Colours that a file says in numbers: PNG's chunks, `nclx` of AVIF and HEIC."""

import io
import struct
import zlib

import pytest
from PIL import Image

from tests import extra_pictures, pictures  # noqa: F401  it registers HEIC with Pillow
from tests.profiles import ADOBE_RGB, DISPLAY_P3
from tintype.imaging import Format, ImageRefused, Reason, Recipe, inspect, render, verify
from tintype.imaging.colour_signal import (
    PQ,
    PRIMARIES,
    SRGB_PRIMARIES,
    ColourSignal,
    from_codes,
    light_of,
    matrix_to_srgb,
)

RGB = tuple[int, int, int]
COLOUR: RGB = (200, 120, 60)
P3_AS_SRGB: RGB = (213, 115, 42)
"""By ColorSync's numbers of Display P3: CSS Color 4's `color(display-p3 0.784 0.471 0.235)`."""
SIDE = 16
P3_CHROMATICITIES = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
SRGB_CHROMATICITIES = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)


def cicp(primaries: int, transfer: int, full: int = 1) -> tuple[bytes, bytes]:
    return b"cICP", bytes((primaries, transfer, 0, full))


def gama(number: int) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", number)


def chrm(*numbers: int) -> tuple[bytes, bytes]:
    return b"cHRM", struct.pack(">8I", *numbers)


def iccp(profile: bytes) -> tuple[bytes, bytes]:
    return b"iCCP", b"p\0\0" + zlib.compress(profile)


SRGB_CHUNK = (b"sRGB", b"\0")


def png(colour: tuple[int, ...], *chunks: tuple[bytes, bytes], bits: int = 8) -> bytes:
    """A flat picture: grey (1 number), grey and alpha (2), RGB (3) or RGBA (4), with these chunks."""
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[len(colour)]
    line = b"\0" + struct.pack(f">{len(colour)}{'B' if bits == 8 else 'H'}", *colour) * SIDE
    return (
        pictures.PNG_SIGNATURE
        + pictures.png_chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, bits, kind, 0, 0, 0))
        + b"".join(pictures.png_chunk(*chunk) for chunk in chunks)
        + pictures.png_chunk(b"IDAT", zlib.compress(line * SIDE))
        + pictures.png_chunk(b"IEND", b"")
    )


def shown(data: bytes, **fields: object) -> tuple[int, ...]:
    """The pixel in the middle of a rendition, RGBA; the placeholder has the same colour."""
    info = inspect(data)
    recipe = Recipe(format=Format.PNG, **fields)  # type: ignore[arg-type]  # as the tests name them
    image = Image.open(io.BytesIO(render(data, recipe).data)).convert("RGBA")
    found = image.getpixel((image.width // 2, image.height // 2))
    assert isinstance(found, tuple)
    named = verify(data, info).colour
    if named is not None:
        assert found[:3] == pytest.approx(tuple(bytes.fromhex(named[1:])), abs=2)
    return found


@pytest.mark.parametrize(
    ("chunks", "stored", "expected"),
    [
        ([cicp(12, 13)], COLOUR, P3_AS_SRGB),
        ([cicp(1, 8)], (128, 128, 128), (188, 188, 188)),
        ([cicp(1, 13)], COLOUR, COLOUR),
        ([cicp(2, 2)], COLOUR, COLOUR),
        ([cicp(1, 1)], COLOUR, COLOUR),
        # Limited range: (200 - 16) * 255 / 219 = 214, (120 - 16) -> 121, (60 - 16) -> 51.
        ([cicp(1, 13, full=0)], COLOUR, (214, 121, 51)),
        # 203 cd/m2, the white of BT.2408, is bright; black is black, and the brightest light white.
        ([cicp(9, 16)], (148, 148, 148), (191, 191, 191)),
        ([cicp(9, 16)], (0, 0, 0), (0, 0, 0)),
        ([cicp(9, 16)], (255, 255, 255), (255, 255, 255)),
        # 75 % of HLG is the same white (BT.2408, table 1).
        ([cicp(9, 18)], (191, 191, 191), (191, 191, 191)),
        ([cicp(9, 18)], (255, 255, 255), (255, 255, 255)),
        ([gama(100_000)], (128, 128, 128), (188, 188, 188)),
        ([gama(45_455)], COLOUR, COLOUR),
        ([gama(45_455), chrm(*SRGB_CHROMATICITIES)], COLOUR, COLOUR),
        ([gama(45_455), chrm(*P3_CHROMATICITIES)], COLOUR, (214, 116, 38)),
        ([chrm(*P3_CHROMATICITIES)], COLOUR, P3_AS_SRGB),
        # What can't be: the chunk is overlooked.
        ([gama(0)], COLOUR, COLOUR),
        ([chrm(0, 0, 0, 0, 0, 0, 0, 0)], COLOUR, COLOUR),
        ([chrm(*[31270, 32900] * 4)], COLOUR, COLOUR),
        ([(b"cICP", b"\x0c")], COLOUR, COLOUR),
        ([(b"gAMA", b"")], COLOUR, COLOUR),
    ],
)
def test_a_png_is_shown_in_the_colours_of_its_chunks(
    chunks: list[tuple[bytes, bytes]], stored: RGB, expected: RGB
) -> None:
    assert shown(png(stored, *chunks)) == pytest.approx((*expected, 255), abs=2)


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([cicp(12, 13), iccp(ADOBE_RGB), SRGB_CHUNK, gama(100_000)], P3_AS_SRGB),
        ([gama(100_000), SRGB_CHUNK, cicp(12, 13)], P3_AS_SRGB),
        ([cicp(1, 13), iccp(DISPLAY_P3)], COLOUR),
        ([iccp(DISPLAY_P3), SRGB_CHUNK, gama(100_000)], P3_AS_SRGB),
        ([iccp(DISPLAY_P3), gama(100_000), chrm(*SRGB_CHROMATICITIES)], P3_AS_SRGB),
        ([SRGB_CHUNK, gama(100_000), chrm(*P3_CHROMATICITIES)], COLOUR),
    ],
)
def test_the_order_is_that_of_the_standard(chunks: list[tuple[bytes, bytes]], expected: RGB) -> None:
    assert shown(png(COLOUR, *chunks)) == pytest.approx((*expected, 255), abs=3)


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("colour", [(128,), (128, 77), (128,) * 3, (128, 128, 128, 77)])
def test_grey_alpha_and_16_bits_are_converted_too(colour: tuple[int, ...], bits: int, linear: bool) -> None:  # noqa: FBT001  # a parameter
    levels = tuple(level * (1 if bits == 8 else 257) for level in colour)
    alpha = 77 if 77 in colour else 255
    found = shown(png(levels, gama(100_000), bits=bits), width=8, linear=linear)
    assert found == pytest.approx((188, 188, 188, alpha), abs=2)


def test_16_bits_of_pq_keep_dark_tones_apart() -> None:
    # 1 and 2 cd/m2, of 10,000: by BT.2100 they are 0.1499 and 0.2013 of PQ.
    dark = [shown(png((round(level * 65535),) * 3, cicp(9, PQ), bits=16))[0] for level in (0.1499, 0.2013)]
    # Relative to 203 cd/m2 that is 0.0049 and 0.0098 of light, 15 and 26 of sRGB.
    assert dark == pytest.approx([15, 26], abs=2)


def nclx(data: bytes) -> tuple[int, int]:
    at = data.index(b"colrnclx") + 8
    primaries, transfer = struct.unpack_from(">HH", data, at)
    return primaries, transfer


def recoded(data: bytes, primaries: int, transfer: int) -> bytes:
    """The file with other codes in its `nclx`."""
    at = data.index(b"colrnclx") + 8
    return data[:at] + struct.pack(">HH", primaries, transfer) + data[at + 4 :]


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ((12, 13), P3_AS_SRGB),
        ((1, 8), (229, 182, 133)),
        ((1, 13), COLOUR),
        ((2, 2), COLOUR),
        ((1, 1), COLOUR),
    ],
)
@pytest.mark.parametrize("format_", ["avif", "heif"])
def test_nclx_of_avif_and_heic(format_: str, codes: tuple[int, int], expected: RGB) -> None:
    data = recoded(pictures.encode(Image.new("RGB", (64, 64), COLOUR), format_, quality=100), *codes)
    assert nclx(data) == codes
    assert shown(data) == pytest.approx((*expected, 255), abs=4)


def test_a_profile_has_priority_over_nclx() -> None:
    image = Image.new("RGB", (64, 64), COLOUR)
    data = pictures.encode(image, "avif", quality=100, icc_profile=DISPLAY_P3)
    if b"colrnclx" in data:
        data = recoded(data, 1, 8)
    assert shown(data) == pytest.approx((*P3_AS_SRGB, 255), abs=4)


def halves(mode: str, left: tuple[int, ...], right: tuple[int, ...]) -> Image.Image:
    image = Image.new(mode, (64, 64), right)
    image.paste(left, (0, 0, 32, 64))
    return image


def both(data: bytes) -> tuple[object, object]:
    """The pixels at a quarter and three quarters of a rendition, RGBA."""
    verify(data, inspect(data))
    image = Image.open(io.BytesIO(render(data, Recipe(format=Format.PNG)).data)).convert("RGBA")
    return image.getpixel((16, 32)), image.getpixel((48, 32))


@pytest.mark.parametrize("range_", ["full", "limited"])
@pytest.mark.parametrize("subsampling", ["4:0:0", "4:4:4"])
def test_limited_range_is_expanded_once(subsampling: str, range_: str) -> None:
    grey = halves("RGB", (40, 40, 40), (220, 220, 220))
    data = pictures.encode(grey, "avif", quality=100, subsampling=subsampling, range=range_)
    left, right = both(data)
    assert left == pytest.approx((40, 40, 40, 255), abs=3)
    assert right == pytest.approx((220, 220, 220, 255), abs=3)


@pytest.mark.parametrize("premultiplied", [False, True])
def test_premultiplied_alpha_is_divided_by(premultiplied: bool) -> None:  # noqa: FBT001  # a parameter
    image = halves("RGBA", (200, 100, 50, 128), (20, 120, 220, 255))
    data = pictures.encode(image, "avif", quality=100, subsampling="4:4:4", alpha_premultiplied=premultiplied)
    assert (b"prem" in data) is premultiplied
    left, right = both(data)
    assert left == pytest.approx((200, 100, 50, 128), abs=4)
    assert right == pytest.approx((20, 120, 220, 255), abs=4)


def test_the_numbers_of_the_matrices_are_those_of_css() -> None:
    # CSS Color 4, 20.2: from linear P3 to linear sRGB.
    expected = ((1.22494, -0.22494, 0.0), (-0.04206, 1.04206, 0.0), (-0.01964, -0.07864, 1.09827))
    for row, wanted in zip(matrix_to_srgb(PRIMARIES[12]), expected, strict=True):
        assert row == pytest.approx(wanted, abs=1e-4)
    # BT.2087: from BT.2020 to BT.709.
    expected = ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187))
    for row, wanted in zip(matrix_to_srgb(PRIMARIES[9]), expected, strict=True):
        assert row == pytest.approx(wanted, abs=1e-3)


@pytest.mark.parametrize("primaries", [*PRIMARIES.values(), SRGB_PRIMARIES])
def test_white_stays_white(primaries: tuple[float, ...]) -> None:
    for row in matrix_to_srgb(primaries):  # type: ignore[arg-type]  # eight
        assert sum(row) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("level", "nits"), [(0.0, 0.0), (0.508078, 100.0), (0.580690, 203.0), (0.751827, 1000.0), (1.0, 10_000.0)]
)
def test_the_curve_of_pq_is_that_of_bt2100(level: float, nits: float) -> None:
    assert light_of(from_codes(9, 16))(level) * 203 == pytest.approx(nits, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize(("level", "light"), [(0.0, 0.0), (0.5, 1 / 12), (0.75, 0.26496), (1.0, 1.0)])
def test_the_curve_of_hlg_is_that_of_bt2100(level: float, light: float) -> None:
    assert light_of(from_codes(9, 18))(level) == pytest.approx(light, abs=1e-4)


def test_plain_files_say_nothing() -> None:
    assert inspect(png(COLOUR)).colour is None
    assert inspect(png(COLOUR, SRGB_CHUNK)).colour is None
    assert inspect(pictures.jpeg()).colour is None
    assert from_codes(1, 13).is_srgb
    assert not ColourSignal(gamma=1.0).is_srgb


@pytest.mark.parametrize(
    ("more", "reason"), [(b"\0\0\0\x08moov", Reason.UNSUPPORTED), (b"\0\0\0\x08free", Reason.DAMAGED)]
)
@pytest.mark.parametrize("missing", [b"meta", b"pitm"])
def test_a_sequence_without_a_still_is_refused_as_such(missing: bytes, more: bytes, reason: Reason) -> None:
    data = pictures.encode(Image.new("RGB", (64, 64), COLOUR), "avif")
    with pytest.raises(ImageRefused) as refused:
        inspect(data.replace(missing, b"free") + more)
    assert refused.value.reason is reason


@pytest.mark.parametrize("size", range(8))
def test_a_colr_that_is_cut_short_is_no_crash(size: int) -> None:
    data = pictures.encode(Image.new("RGB", (64, 64), COLOUR), "avif", quality=100)
    try:
        inspect(data[: data.index(b"colrnclx") + size])
    except ImageRefused as refused:
        assert str(refused)  # noqa: PT017  a refusal or none, both are right
