"""Kinds of TIFF: each is shown in its colours, by the arithmetic of TIFF 6.0, or refused as unsupported."""

import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import pytest
import pyvips

from tests import pictures
from tests.tiffs import (
    CMYK,
    DEFLATE,
    EXTRA,
    FLOAT,
    FLOATING,
    FORMAT,
    GREY,
    GREY_WHITE_0,
    ICC_LAB,
    INT,
    LAB,
    LONG,
    LZW,
    NONE,
    OLD_JPEG,
    PACKBITS,
    PALETTE,
    RATIONAL,
    SHORT,
    SUBSAMPLING,
    YCBCR,
    Entry,
    Picture,
    Tiff,
    file_of,
    gradient,
)
from tintype.imaging import Format, ImageRefused, Reason, Recipe, inspect, render, verify
from tintype.imaging.codecs.packages import refusal

WIDTH, HEIGHT = 40, 37
Colour = tuple[float, ...]
Show = Callable[..., Sequence[float]]

LAYOUTS: dict[str, dict[str, Any]] = {
    "one strip": {},
    "strips, MM": {"rows": 10, "order": ">"},
    "deflated strips": {"rows": 7, "compression": DEFLATE},
    "PackBits, BigTIFF": {"rows": 16, "compression": PACKBITS, "big": True},
    "tiles": {"tile": (16, 16)},
    "deflated tiles, MM, BigTIFF": {"tile": (32, 16), "compression": DEFLATE, "order": ">", "big": True},
    "planes in strips": {"planes": True, "rows": 10},
    "planes in tiles": {"planes": True, "tile": (16, 32)},
    "deflated planes in tiles, MM": {"planes": True, "tile": (16, 16), "compression": DEFLATE, "order": ">"},
    "planes in tiles, BigTIFF": {"planes": True, "tile": (64, 64), "big": True},
}


def scaled(low: float, high: float) -> Show:
    """Levels of samples of which `low` is black, and `high` white."""
    return lambda *samples: [255 * (sample - low) / (high - low) for sample in samples]


def from_ycbcr(y: float, blue: float, red: float) -> Sequence[float]:
    """Rec. 601, full range: TIFF 6.0, section 21."""
    blue, red = (blue - 128) * 127 / 127, (red - 128) * 127 / 127
    r, b = y + red * 1.402, y + blue * 1.772
    return [min(255.0, max(0.0, level)) for level in (r, (y - 0.114 * b - 0.299 * r) / 0.587, b)]


@dataclass(frozen=True)
class Kind:
    """Samples, what they are shown as, and how far that may be off."""

    tiff: Tiff
    show: Show
    tolerance: int = 1


def kind(samples: int, show: Show, picture: Picture | None = None, tolerance: int = 1, **said: Any) -> Kind:  # noqa: ANN401  fields of a Tiff
    return Kind(Tiff(WIDTH, HEIGHT, picture or gradient(samples), samples=samples, **said), show, tolerance)


def spread(samples: int, low: float, high: float) -> Picture:
    """A picture whose samples go from `low` to `high`."""
    levels = gradient(samples)
    return lambda x, y: [low + (high - low) * level / 255 for level in levels(x, y)]


def extra(*kinds: int) -> dict[int, tuple[int, Sequence[int]]]:
    return {EXTRA: (SHORT, kinds)}


def same(*samples: float) -> Sequence[float]:
    return samples


KINDS = {
    "grey": kind(1, same, photometric=GREY),
    "grey, white is 0": kind(1, lambda grey: [255 - grey], photometric=GREY_WHITE_0),
    "grey, 16 bits": kind(1, scaled(0, 65535), spread(1, 0, 65535), photometric=GREY, bits=16),
    "grey, 16 bits, white is 0": kind(
        1, scaled(65535, 0), spread(1, 0, 65535), photometric=GREY_WHITE_0, bits=16
    ),
    "grey, 32 bits": kind(1, scaled(0, 2**32 - 1), spread(1, 0, 2**32 - 1), photometric=GREY, bits=32),
    "grey, 32 bits, white is 0": kind(
        1, scaled(2**32 - 1, 0), spread(1, 0, 2**32 - 1), photometric=GREY_WHITE_0, bits=32
    ),
    **{
        f"grey, signed, {bits} bits": kind(
            1,
            scaled(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1),
            spread(1, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1),
            photometric=GREY,
            bits=bits,
            format=INT,
        )
        for bits in (8, 16, 32)
    },
    "grey, signed, white is lowest": kind(
        1, scaled(127, -128), spread(1, -128, 127), photometric=GREY_WHITE_0, format=INT
    ),
    "grey, floats": kind(1, scaled(0, 1), spread(1, 0, 1), photometric=GREY, bits=32, format=FLOATING),
    "grey, floats, white is 0": kind(
        1, scaled(1, 0), spread(1, 0, 1), photometric=GREY_WHITE_0, bits=32, format=FLOATING
    ),
    "grey, half floats": kind(1, scaled(0, 1), spread(1, 0, 1), photometric=GREY, bits=16, format=FLOATING),
    "grey and alpha": kind(2, same, photometric=GREY, entries=extra(2)),
    "grey and a sample of no meaning": kind(2, lambda grey, _: [grey], photometric=GREY, entries=extra(0)),
    "grey, a sample of no meaning, alpha": kind(
        3, lambda grey, _, alpha: [grey, alpha], photometric=GREY, entries=extra(0, 2)
    ),
    "RGB": kind(3, same),
    "RGB, 16 bits": kind(3, scaled(0, 65535), spread(3, 0, 65535), bits=16),
    "RGB, 32 bits": kind(3, scaled(0, 2**32 - 1), spread(3, 0, 2**32 - 1), bits=32),
    "RGB, signed": kind(3, scaled(-128, 127), spread(3, -128, 127), format=INT),
    "RGB, floats": kind(3, scaled(0, 1), spread(3, 0, 1), bits=32, format=FLOATING),
    "RGB, half floats": kind(3, scaled(0, 1), spread(3, 0, 1), bits=16, format=FLOATING),
    "RGB and alpha": kind(4, same, entries=extra(2)),
    "RGB and a sample of which nothing is said": kind(4, same),
    "RGB and alpha of Corel Draw": kind(4, same, entries=extra(999)),
    "RGB and alpha, floats": kind(
        4, scaled(0, 1), spread(4, 0, 1), bits=32, format=FLOATING, entries=extra(2)
    ),
    "RGB and a sample of no meaning": kind(4, lambda *all: all[:3], entries=extra(0)),
    "RGB, a sample of no meaning, alpha": kind(5, lambda *all: (*all[:3], all[4]), entries=extra(0, 2)),
    "RGB, 16 bits, two samples of no meaning": kind(
        5, lambda *all: scaled(0, 65535)(*all[:3]), spread(5, 0, 65535), bits=16, entries=extra(0, 0)
    ),
    "YCbCr": kind(3, from_ycbcr, photometric=YCBCR, tolerance=2, entries={SUBSAMPLING: (SHORT, [1, 1])}),
    "YCbCr and alpha": kind(
        4,
        lambda *all: [*from_ycbcr(*all[:3]), all[3]],
        photometric=YCBCR,
        tolerance=2,
        entries={SUBSAMPLING: (SHORT, [1, 1]), **extra(2)},
    ),
}


def shown(data: bytes) -> Sequence[Colour]:
    """The pixels of a rendition without loss, after the upload's checks."""
    verify(data, inspect(data))
    return pictures.pixels(pictures.decode(render(data, Recipe(format=Format.PNG)).data).convert("RGBA"))


def rgba(levels: Sequence[float]) -> Colour:
    """Levels of grey or RGB, with alpha or without, as RGBA."""
    colours, alpha = (levels, 255.0) if len(levels) % 2 else (levels[:-1], levels[-1])
    return tuple(round(level) for level in (*(colours if len(colours) == 3 else [colours[0]] * 3), alpha))


def assert_shown(data: bytes, expected: Sequence[Colour], tolerance: int) -> None:
    found = shown(data)
    assert len(found) == len(expected)
    for at, (got, wanted) in enumerate(zip(found, expected, strict=True)):
        if wanted[3]:  # without alpha there is no colour
            worst = max(abs(a - b) for a, b in zip(got, wanted, strict=True))
            assert worst <= tolerance, (at % WIDTH, at // WIDTH, got, wanted)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", KINDS)
def test_every_kind_has_its_colours_in_every_layout(name: str, layout: str) -> None:
    tiff = replace(KINDS[name].tiff, **LAYOUTS[layout])
    picture, show = tiff.picture, KINDS[name].show
    whole = tiff.format == FLOATING
    expected = [
        rgba(show(*(each if whole else int(each) for each in picture(x, y))))
        for y in range(HEIGHT)
        for x in range(WIDTH)
    ]
    assert_shown(tiff.encode(), expected, KINDS[name].tolerance)


def from_lab(lightness: float, a: float, b: float) -> Sequence[float]:
    """CIE 15: L*a*b* with the white D50 to XYZ; the matrix of sRGB adapted to D50; IEC 61966-2-1."""
    y = (lightness + 16) / 116
    x, y, z = (
        white * (root**3 if root > 6 / 29 else 3 * (6 / 29) ** 2 * (root - 4 / 29))
        for white, root in zip((0.9642, 1, 0.8249), (y + a / 500, y, y - b / 200), strict=True)
    )
    light = (
        3.1338561 * x - 1.6168667 * y - 0.4906146 * z,
        -0.9787684 * x + 1.9161415 * y + 0.0334540 * z,
        0.0719453 * x - 0.2289914 * y + 1.4052427 * z,
    )
    levels = (12.92 * each if each <= 0.0031308 else 1.055 * each ** (1 / 2.4) - 0.055 for each in light)
    return [255 * min(1.0, max(0.0, level)) for level in levels]


def lab_picture(x: int, y: int) -> list[int]:
    """Colours of sRGB's range: of much chroma only in the middle of lightness."""
    return [60 + (x * 5) % 150, (y * 2) % 50 - 25, (x + y) % 50 - 25]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("photometric", "bits"), [(LAB, 8), (LAB, 16), (ICC_LAB, 8), (ICC_LAB, 16)])
def test_lab_has_its_colours_in_every_layout(photometric: int, bits: int, layout: str) -> None:
    places = [(x, y) for y in range(HEIGHT) for x in range(WIDTH)]
    levels = [lab_picture(*place) for place in places]
    expected = [rgba(from_lab(lightness * 100 / 255, a, b)) for lightness, a, b in levels]

    def stored(x: int, y: int) -> list[int]:
        lightness, *chroma = lab_picture(x, y)
        offset = 128 if photometric == ICC_LAB else 0
        most = {(LAB, 16): 65535, (ICC_LAB, 16): 65280}.get((photometric, bits), 255)
        return [round(lightness * most / 255), *((each + offset) << (bits - 8) for each in chroma)]

    tiff = Tiff(WIDTH, HEIGHT, stored, photometric=photometric, bits=bits, **LAYOUTS[layout])
    assert_shown(tiff.encode(), expected, 2)


@pytest.mark.parametrize("bits", [1, 2, 4])
@pytest.mark.parametrize("photometric", [GREY, GREY_WHITE_0])
def test_grey_of_a_few_bits(photometric: int, bits: int) -> None:
    most = 2**bits - 1
    tiff = Tiff(WIDTH, HEIGHT, gradient(1, most), samples=1, photometric=photometric, bits=bits, rows=5)
    show = scaled(0, most) if photometric == GREY else scaled(most, 0)
    expected = [rgba(show(*tiff.picture(x, y))) for y in range(HEIGHT) for x in range(WIDTH)]
    for layout in ({}, {"planes": True}, {"tile": (16, 16), "rows": None}):
        assert_shown(replace(tiff, **layout).encode(), expected, 0)


@pytest.mark.parametrize(
    "layout", [{}, {"tile": (16, 16)}, {"compression": DEFLATE, "order": ">", "rows": 9}]
)
@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_palettes(bits: int, layout: dict[str, Any]) -> None:
    count = 2**bits
    colours = [(at * 7 % 256, at * 5 % 256, 255 - at % 256) for at in range(count)]
    columns = [colour[band] * 257 for band in range(3) for colour in colours]
    tiff = Tiff(
        WIDTH,
        HEIGHT,
        gradient(1, count - 1),
        samples=1,
        photometric=PALETTE,
        bits=bits,
        entries={320: (SHORT, columns)},
        **layout,
    )
    expected = [(*colours[int(tiff.picture(x, y)[0])], 255) for y in range(HEIGHT) for x in range(WIDTH)]
    assert_shown(tiff.encode(), expected, 0)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_cmyk_looks_alike_in_every_layout(layout: str) -> None:
    picture = gradient(4)
    expected = shown(Tiff(WIDTH, HEIGHT, picture, samples=4, photometric=CMYK).encode())
    pale = shown(Tiff(2, 2, lambda *_: (0, 0, 0, 0), samples=4, photometric=CMYK).encode())
    assert all(level > 250 for level in pale[0])  # no ink
    tiffs = [
        Tiff(WIDTH, HEIGHT, picture, samples=4, photometric=CMYK),
        Tiff(
            WIDTH,
            HEIGHT,
            lambda x, y: [each * 257 for each in picture(x, y)],
            samples=4,
            photometric=CMYK,
            bits=16,
        ),
        Tiff(
            WIDTH,
            HEIGHT,
            lambda x, y: [*picture(x, y), 99],
            samples=5,
            photometric=CMYK,
            entries=extra(0),
        ),
    ]
    for tiff in tiffs:
        assert_shown(replace(tiff, **LAYOUTS[layout]).encode(), expected, 2)


def subsampled(across: int, down: int) -> bytes:
    """Deflated YCbCr, one colour below the other: each unit is its lumas, then Cb and Cr (section 21)."""
    units = -(-WIDTH // across)
    top = (bytes([150] * across * down) + b"\x80\x80") * units
    bottom = (bytes([100] * across * down) + bytes([90, 180])) * units
    rows = 16
    pieces = [
        zlib.compress((top if y < 16 else bottom) * (-(-min(rows, HEIGHT - y) // down))) for y in (0, 16, 32)
    ]
    said = {SUBSAMPLING: (SHORT, [across, down])}
    tiff = Tiff(WIDTH, HEIGHT, gradient(3), photometric=YCBCR, compression=DEFLATE, rows=rows, entries=said)
    return file_of(tiff, pieces)


@pytest.mark.parametrize(("across", "down"), [(2, 2), (2, 1), (4, 2), (4, 1), (4, 4)])
def test_ycbcr_with_fewer_samples_of_colour(across: int, down: int) -> None:
    expected = [(150, 150, 150, 255)] * (16 * WIDTH) + [(173, 76, 33, 255)] * ((HEIGHT - 16) * WIDTH)
    assert_shown(subsampled(across, down), expected, 2)


def test_ycbcr_with_other_coefficients_and_reference() -> None:
    # Rec. 709, luma from 16 to 235 and chroma from 16 to 240: red, which is (63, 102, 240) then.
    said: dict[int, Entry] = {
        SUBSAMPLING: (SHORT, [1, 1]),
        529: (RATIONAL, [(2126, 10000), (7152, 10000), (722, 10000)]),
        532: (RATIONAL, [(16, 1), (235, 1), (128, 1), (240, 1), (128, 1), (240, 1)]),
    }
    tiff = Tiff(WIDTH, HEIGHT, lambda *_: (63, 102, 240), photometric=YCBCR, entries=said)
    assert_shown(tiff.encode(), [(255, 0, 0, 255)] * (WIDTH * HEIGHT), 3)


def test_ranges_of_samples_that_the_file_tells() -> None:
    said = {340: (SHORT, [100]), 341: (SHORT, [1100])}
    tiff = Tiff(
        WIDTH,
        HEIGHT,
        lambda x, _: [100 if x < 20 else 600],
        samples=1,
        photometric=GREY,
        bits=32,
        entries=said,
    )
    expected = [(level, level, level, 255) for _ in range(HEIGHT) for level in [0] * 20 + [128] * 20]
    assert_shown(tiff.encode(), expected, 1)
    negative = replace(tiff, photometric=GREY_WHITE_0)
    expected = [(level, level, level, 255) for _ in range(HEIGHT) for level in [255] * 20 + [128] * 20]
    assert_shown(negative.encode(), expected, 1)


def test_floats_that_are_no_levels_are_refused_unless_their_range_is_told() -> None:
    heights = Tiff(
        WIDTH, HEIGHT, lambda x, y: [x * 100.0 + y], samples=1, photometric=GREY, bits=32, format=FLOATING
    )
    assert "floating-point samples outside of 0 to 1" in refused(heights.encode())
    told = replace(heights, entries={340: (FLOAT, [0.0]), 341: (FLOAT, [4000.0])})
    expected = [rgba([(x * 100 + y) * 255 / 4000]) for y in range(HEIGHT) for x in range(WIDTH)]
    assert_shown(told.encode(), expected, 1)
    bright = replace(heights, picture=lambda x, y: [5.0 if (x, y) == (3, 3) else 0.5])  # a light
    assert shown(bright.encode())[0] == (128, 128, 128, 255)


def refused(data: bytes) -> str:
    """The sentence with which a file is refused as unsupported, at its upload and when it is rendered."""
    with pytest.raises(ImageRefused) as caught:
        verify(data, inspect(data))
    assert caught.value.reason is Reason.UNSUPPORTED, caught.value
    return caught.value.sentence


PLAIN = Tiff(WIDTH, HEIGHT, gradient(3))
UNSUPPORTED = {
    "64-bit floating-point RGB samples": replace(PLAIN, picture=spread(3, 0, 1), bits=64, format=FLOATING),
    "64-bit floating-point samples": replace(
        PLAIN, picture=spread(1, 0, 1), samples=1, photometric=GREY, bits=64, format=FLOATING
    ),
    "64-bit RGB samples": replace(PLAIN, bits=64),
    "12-bit samples": replace(PLAIN, samples=1, picture=gradient(1, 4095), photometric=GREY, bits=12),
    "12-bit RGB samples": replace(PLAIN, bits=12),
    "24-bit samples": replace(PLAIN, samples=1, picture=gradient(1), photometric=GREY, bits=24),
    "4-bit RGB samples": replace(PLAIN, picture=gradient(3, 15), bits=4),
    "1-bit RGB samples": replace(PLAIN, picture=gradient(3, 1), bits=1),
    "samples of different sizes": replace(PLAIN, entries={258: (SHORT, [8, 8, 16])}),
    "formats": replace(PLAIN, entries={FORMAT: (SHORT, [1, 1, 3])}),
    "16-bit YCbCr samples": replace(
        PLAIN, bits=16, photometric=YCBCR, entries={SUBSAMPLING: (SHORT, [1, 1])}
    ),
    "complex": replace(PLAIN, bits=64, entries={FORMAT: (SHORT, [6, 6, 6])}),
    "raw sensor": replace(PLAIN, samples=1, picture=gradient(1), photometric=32803),
    "LogLuv": replace(PLAIN, photometric=32845),
    "transparency mask": replace(PLAIN, samples=1, picture=gradient(1, 1), bits=1, photometric=4),
    "ITU L*a*b*": replace(PLAIN, photometric=10),
    "inks other than CMYK": replace(
        PLAIN, samples=4, picture=gradient(4), photometric=CMYK, entries={332: (SHORT, [2])}
    ),
    "old-style JPEG (6)": replace(PLAIN, compression=OLD_JPEG),
    "JPEG 2000 (34712)": replace(PLAIN, compression=34712),
    "an unknown scheme (65000)": replace(PLAIN, compression=65000),
    "tiles of 100 \N{MULTIPLICATION SIGN} 16": replace(PLAIN, tile=(100, 16)),
    "subsampled YCbCr": replace(
        PLAIN, photometric=YCBCR, tile=(16, 16), entries={SUBSAMPLING: (SHORT, [2, 2])}
    ),
    "premultiplied alpha": replace(
        PLAIN, samples=4, picture=spread(4, 0, 1), bits=32, format=FLOATING, entries=extra(1)
    ),
    "a depth": replace(PLAIN, entries={32997: (SHORT, [2])}),
}


@pytest.mark.parametrize("what", UNSUPPORTED)
def test_other_kinds_are_refused_for_what_they_are(what: str) -> None:
    sentence = refused(UNSUPPORTED[what].encode())
    assert sentence.startswith("TIFF ")
    assert what in sentence
    assert sentence.endswith(" isn't accepted.")


@pytest.mark.parametrize("layout", [{}, {"rows": 16}, {"tile": (48, 48)}])
@pytest.mark.parametrize("samples", [1, 3])
def test_old_style_jpeg_is_refused_in_strips_and_tiles(samples: int, layout: dict[str, Any]) -> None:
    jpeg = pictures.jpeg(48, 48)
    tiff = Tiff(
        48,
        48,
        gradient(samples),
        samples=samples,
        photometric=YCBCR if samples == 3 else GREY,
        compression=OLD_JPEG,
        entries={513: (LONG, [8]), 514: (LONG, [len(jpeg)])},
        **layout,
    )
    data = file_of(tiff, [jpeg] * len(list(tiff.boxes())))
    assert refused(data) == "TIFF compressed by old-style JPEG (6) isn't accepted."


@pytest.mark.parametrize(("compression", "name"), [(34925, "LZMA"), (50000, "ZSTD")])
def test_a_compression_that_libtiff_was_built_without_is_refused_for_it(compression: int, name: str) -> None:
    message = f"tiff2vips: {name} compression support is not configured"
    error = refusal(pyvips.Error("unable to copy to memory", message))
    assert error.reason is Reason.UNSUPPORTED
    assert error.sentence == f"TIFF compressed by {name} isn't accepted."
    # With a libvips that has them these bytes are damaged.
    data = replace(PLAIN, compression=compression).encode()
    with pytest.raises(ImageRefused):
        verify(data, inspect(data))


ODD_ENTRIES: dict[str, dict[int, Any]] = {
    "tag 0": {0: (1, [0])},
    "tag 0 of no type": {0: (99, b"\x01\0\0\0")},
    "tag 1, empty": {1: (0, b"")},
    "orientation 0": {274: (SHORT, [0])},
    "orientation 9": {274: (SHORT, [9])},
    "orientation as text": {274: (2, b"1\0")},
    "resolution unit 0": {296: (SHORT, [0])},
    "resolution unit 4": {296: (SHORT, [4])},
    "resolution unit as long": {296: (LONG, [60_000])},
    "resolution 0 / 0": {282: (RATIONAL, [(0, 0)]), 283: (RATIONAL, [(0, 0)])},
    "fill order 0": {266: (SHORT, [0])},
    "fill order 7": {266: (SHORT, [7])},
    "planar configuration 0": {284: (SHORT, [0])},
    "planar configuration twice": {284: (SHORT, [1, 1])},
    "sample format as long": {FORMAT: (LONG, [1, 1, 1])},
    "sample format once": {FORMAT: (SHORT, [1])},
    "bits once": {258: (SHORT, [8])},
    "bits as long": {258: (LONG, [8, 8, 8])},
    "range of samples as text": {280: (2, b"a\0"), 281: (2, b"b\0")},
    "ranges that differ": {280: (SHORT, [0, 1, 2]), 281: (SHORT, [200, 255, 9])},
    "ranges of one": {340: (SHORT, [0]), 341: (SHORT, [255])},
    "inks": {333: (2, b"red\0"), 334: (SHORT, [1])},
    "extra samples that are not there": {EXTRA: (SHORT, [7])},
    "text without an end": {305: (2, b"abcdefgh"), 306: (2, b"x" * 40)},
    "text of another type": {270: (SHORT, [1, 2, 3, 4])},
    "a private entry of no type": {65000: (77, b"\0\0\0\0")},
    "EXIF elsewhere": {34665: (LONG, [99_999_999]), 34853: (LONG, [1])},
    "threshholding": {263: (SHORT, [99]), 265: (SHORT, [0])},
    "pages": {297: (SHORT, [1]), 254: (LONG, [4_000_000_000])},
    "old type": {32996: (SHORT, [77])},
    "a transfer function of one": {301: (SHORT, [1])},
    "a white point of one": {318: (RATIONAL, [(1, 3)]), 319: (RATIONAL, [(1, 3)])},
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("odd", ODD_ENTRIES)
def test_entries_that_change_no_pixel_may_be_odd(odd: str, layout: str) -> None:
    if "planar" in odd and "planes" in layout:
        return
    tiff = replace(PLAIN, **LAYOUTS[layout], entries=ODD_ENTRIES[odd])
    expected = [(*PLAIN.picture(x, y), 255) for y in range(HEIGHT) for x in range(WIDTH)]
    assert_shown(tiff.encode(), expected, 0)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_values_behind_the_end_of_the_file(order: str, *, big: bool) -> None:
    tiff = replace(PLAIN, order=order, big=big, entries={305: (2, b"software of no name\0")})
    data = tiff.encode()
    at = data.index(b"software of no name") if data.count(b"software of no name") == 1 else -1
    offset = struct.pack(order + ("Q" if big else "I"), at)
    beyond = struct.pack(order + ("Q" if big else "I"), len(data) + 1000)
    assert data.count(offset) == 1
    expected = [(*PLAIN.picture(x, y), 255) for y in range(HEIGHT) for x in range(WIDTH)]
    assert_shown(data.replace(offset, beyond), expected, 0)


def test_the_entries_of_later_pages_may_be_odd() -> None:
    first, second = (
        replace(PLAIN, entries={}),
        replace(PLAIN, entries={296: (SHORT, [9]), 0: (99, b"\0\0\0\0")}),
    )
    data = bytearray(first.encode())
    data += bytes(-len(data) % 8)
    start = len(data)
    later = second.encode()
    (at,) = struct.unpack_from("<I", later, 4)
    (count,) = struct.unpack_from("<H", data, struct.unpack_from("<I", data, 4)[0])
    struct.pack_into("<I", data, struct.unpack_from("<I", data, 4)[0] + 2 + 12 * count, start + at)
    data += later  # its strips are taken from the first, whose places are the same
    expected = [(*PLAIN.picture(x, y), 255) for y in range(HEIGHT) for x in range(WIDTH)]
    assert_shown(bytes(data), expected, 0)
    assert inspect(bytes(data)).frames == 1


def test_orientation_and_profile_are_kept_where_the_directory_is_rewritten() -> None:
    profile = pictures.red_green_swapped_profile()
    said = {274: (SHORT, [6]), 34675: (7, profile), 296: (SHORT, [99])}
    tiff = replace(PLAIN, picture=lambda *_: (255, 0, 0), entries=said)
    info = inspect(tiff.encode())
    assert (info.width, info.height) == (HEIGHT, WIDTH)
    red, green, *_ = shown(tiff.encode())[0]
    assert red < 100
    assert green > 200


DAMAGED_LAYOUTS: dict[str, dict[str, Any]] = {
    "tiles": {"tile": (32, 32)},
    "tiles, MM": {"tile": (16, 48), "order": ">"},
    "strips": {"rows": 16},
    "one strip": {"rows": 128},
    "many lines": {"rows": 200},
    "planes in tiles": {"tile": (32, 32), "planes": True},
    "planes in strips": {"rows": 16, "planes": True},
}
NOISE = pictures.pixels(pictures.photo(64, 200).effect_spread(9))


def noise(x: int, y: int) -> Sequence[int]:
    return NOISE[y * 64 + x]


def damaged(data: bytes) -> bool:
    try:
        verify(data, inspect(data))
    except ImageRefused as error:
        return error.reason is Reason.DAMAGED
    return False


@pytest.mark.parametrize("layout", DAMAGED_LAYOUTS)
@pytest.mark.parametrize("where", ["first", "middle", "last"])
def test_a_deflated_piece_with_zeros_in_it_is_damage(where: str, layout: str) -> None:
    tiff = Tiff(64, 200, noise, compression=DEFLATE, **DAMAGED_LAYOUTS[layout])
    pieces = [zlib.compress(piece) for piece in tiff.pieces()]
    assert not damaged(file_of(tiff, pieces))
    at = {"first": 0, "middle": len(pieces) // 2, "last": len(pieces) - 1}[where]
    start = len(pieces[at]) // 3
    pieces[at] = pieces[at][:start] + bytes(100) + pieces[at][start + 100 :]
    assert damaged(file_of(tiff, pieces))


@pytest.mark.parametrize("layout", DAMAGED_LAYOUTS)
@pytest.mark.parametrize("compression", [NONE, DEFLATE, PACKBITS, LZW])
def test_a_piece_that_ends_too_early_is_damage(compression: int, layout: str) -> None:
    tiff = Tiff(64, 200, noise, compression=compression, **DAMAGED_LAYOUTS[layout])
    pieces = [tiff.compress(piece) for piece in tiff.pieces()]
    assert not damaged(file_of(tiff, pieces))
    at = len(pieces) // 2
    pieces[at] = pieces[at][: len(pieces[at]) // 2]
    assert damaged(file_of(tiff, pieces))


@pytest.mark.parametrize("layout", DAMAGED_LAYOUTS)
def test_a_piece_behind_the_end_of_the_file_is_damage(layout: str) -> None:
    tiff = Tiff(64, 200, noise, **DAMAGED_LAYOUTS[layout])
    ends = list(accumulate((len(piece) for piece in tiff.pieces()), initial=8))
    offsets = [*ends[:-2], 10**6]
    assert damaged(replace(tiff, entries={324 if tiff.tile else 273: (LONG, offsets)}).encode())


def jpeg_tiff(first: bytes, second: bytes, layout: dict[str, Any], photometric: int) -> bytes:
    """Two strips or tiles of 64 x 64, a JPEG in each."""
    samples = 1 if photometric == GREY else 3
    said: dict[int, Entry] = {SUBSAMPLING: (SHORT, [2, 2])} if photometric == YCBCR else {}
    tiff = Tiff(64, 128, gradient(samples), samples=samples, photometric=photometric, compression=7)
    return file_of(replace(tiff, entries=said, **layout), [first, second])


@pytest.mark.parametrize("photometric", [GREY, YCBCR])
@pytest.mark.parametrize("layout", [{"tile": (64, 64)}, {"rows": 64}])
def test_damage_that_libjpeg_only_warns_of(layout: dict[str, Any], photometric: int) -> None:
    picture = pictures.photo(64, 64).effect_spread(9)
    jpeg = pictures.encode(picture.convert("L") if photometric == GREY else picture, "jpeg", quality=90)
    assert not damaged(jpeg_tiff(jpeg, jpeg, layout, photometric))
    assert not damaged(jpeg_tiff(jpeg, jpeg[:-2], layout, photometric))  # it only lacks its end mark
    for broken in (jpeg[: len(jpeg) // 2] + b"\xff\xd9", jpeg[: -len(jpeg) // 10]):
        assert damaged(jpeg_tiff(jpeg, broken, layout, photometric))
        assert damaged(jpeg_tiff(broken, jpeg, layout, photometric))


def test_jpegs_with_tables_of_their_own_and_shared_ones() -> None:
    for quality in (75, 95):
        data = pictures.tiff(200, 150, compression="jpeg", quality=quality)
        assert not damaged(data)
        pieces = data.rindex(b"\xff\xda")
        assert damaged(data[: pieces + 40] + bytes(400) + data[pieces + 440 :])
