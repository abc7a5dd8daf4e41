import io
import struct
import zlib

import pytest
from PIL import Image, ImageCms

from tests import pictures
from tests.colours import PATCHES, RGB, chart, ciede2000, difference, shown
from tests.profiles import ADOBE_RGB, DISPLAY_P3, SRGB
from tintype.imaging import Format, Recipe, render

A_LEVEL = 0.8  # at most what one level of 8 bits makes, in these colours
BARELY_SEEN = 2.0
TARGETS = [
    (Format.PNG, A_LEVEL),
    (Format.WEBP, BARELY_SEEN),
    (Format.AVIF, BARELY_SEEN),
    (Format.JPEG, BARELY_SEEN),
]


def made(source: bytes, **fields: object) -> list[RGB]:
    recipe = Recipe(width=144, **{"format": Format.PNG, **fields})  # type: ignore[arg-type]  # as the tests name them
    return shown(pictures.decode(render(source, recipe).data))


def worst(found: list[RGB], expected: list[RGB]) -> float:
    return max(difference(a, b) for a, b in zip(found, expected, strict=True))


def in_the_space_of(profile: bytes) -> Image.Image:
    """The chart in another space's levels, by Pillow."""
    converted = ImageCms.profileToProfile(
        chart(), ImageCms.createProfile("sRGB"), ImageCms.ImageCmsProfile(io.BytesIO(profile))
    )
    assert converted is not None
    return converted


def png_of_16_bits(image: Image.Image) -> bytes:
    """An RGB picture at 16 bits a channel, which Pillow can't write; each level times 257."""
    levels = [level * 257 for pixel in pictures.pixels(image) for level in pixel]
    line = image.width * 3
    rows = (levels[at : at + line] for at in range(0, len(levels), line))
    data = b"".join(b"\0" + struct.pack(f">{line}H", *row) for row in rows)
    return (
        pictures.PNG_SIGNATURE
        + pictures.png_chunk(b"IHDR", struct.pack(">IIBBBBB", image.width, image.height, 16, 2, 0, 0, 0))
        + pictures.png_chunk(b"IDAT", zlib.compress(data))
        + pictures.png_chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        # From the table of the paper: numbers 1, 7, 17, 19 and 25.
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((50, 2.5, 0), (56, -27, -3), 31.9030),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ],
)
def test_the_measure_is_the_published_one(
    one: tuple[float, float, float], other: tuple[float, float, float], expected: float
) -> None:
    assert ciede2000(one, other) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("target", "limit"), TARGETS)
@pytest.mark.parametrize(
    "profile", [None, SRGB, DISPLAY_P3, ADOBE_RGB], ids=["none", "sRGB", "P3", "AdobeRGB"]
)
@pytest.mark.parametrize("source", ["png", "tiff"])
def test_a_chart_keeps_its_colours_from_every_space(
    source: str, profile: bytes | None, target: Format, limit: float
) -> None:
    image = chart() if profile is None else in_the_space_of(profile)
    data = pictures.encode(image, source, icc_profile=profile)
    assert worst(made(data, format=target, quality=95), list(PATCHES)) <= limit


@pytest.mark.parametrize("source", ["jpeg", "webp"])
def test_a_chart_keeps_its_colours_when_it_is_decoded_small(source: str) -> None:
    image = chart().resize((chart().width * 4, chart().height * 4))
    data = pictures.encode(image, source, quality=95, icc_profile=SRGB)
    assert worst(made(data), list(PATCHES)) <= BARELY_SEEN


def test_sixteen_bits_keep_the_colours() -> None:
    assert worst(made(png_of_16_bits(chart())), list(PATCHES)) <= A_LEVEL


def test_a_palette_keeps_the_colours() -> None:
    data = pictures.encode(chart().quantize(64), "png")
    assert worst(made(data), list(PATCHES)) <= A_LEVEL


@pytest.mark.parametrize("source", ["png", "jpeg", "tiff"])
def test_grey_stays_as_light_as_it_was(source: str) -> None:
    grey = chart().convert("L")
    expected = shown(grey)
    assert worst(made(pictures.encode(grey, source)), expected) <= A_LEVEL


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "LA"])
def test_light_and_levels_give_the_same_flat_colours(mode: str, linear: bool) -> None:  # noqa: FBT001  # a parameter
    source = chart().convert("RGB" if mode == "RGB" else mode)
    expected = shown(source)
    assert worst(made(pictures.encode(source, "png"), linear=linear), expected) <= A_LEVEL


def test_black_ink_alone_prints_grey() -> None:
    inks = Image.new("CMYK", (288, 192))
    inks.putdata([(0, 0, 0, min(255, x)) for _ in range(192) for x in range(288)])
    data = pictures.encode(inks, "tiff")
    image = pictures.decode(render(data, Recipe(width=144, format=Format.PNG)).data).convert("RGB")
    line = [image.getpixel((x, 48)) for x in range(0, 144, 8)]
    lightness = [sum(pixel) for pixel in line if isinstance(pixel, tuple)]
    assert lightness == sorted(lightness, reverse=True)
    assert all(max(pixel) - min(pixel) <= 12 for pixel in line if isinstance(pixel, tuple))
