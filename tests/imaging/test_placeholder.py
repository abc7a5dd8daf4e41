"""Placeholders, for sources of every kind."""

from base64 import b64decode

import pytest
from PIL import Image

from tests import pictures
from tintype.imaging import Format, Placeholder, inspect, verify
from tintype.imaging.formats import SPECS


def of(data: bytes) -> Placeholder:
    return verify(data, inspect(data))


def plain(size: tuple[int, int], colour: tuple[int, ...], mode: str = "RGB") -> Image.Image:
    return Image.new(mode, size, colour)


def rgb(colour: str | None) -> tuple[int, ...]:
    assert colour is not None
    return tuple(bytes.fromhex(colour.removeprefix("#")))


def aspect(placeholder: Placeholder) -> float:
    """The aspect ratio of a hash: luminance terms along x divided by those along y."""
    hashed = b64decode(placeholder.thumbhash)
    landscape, most = hashed[4] >> 7, 5 if hashed[2] >> 7 else 7
    stored = hashed[3] & 7
    return most / stored if landscape else stored / most


@pytest.mark.parametrize("format_", [entry.format for entry in SPECS if entry.package is None])
@pytest.mark.parametrize("size", [(1, 1), (40, 30), (300, 200), (1203, 801)])
def test_every_format_shows_its_colour(format_: Format, size: tuple[int, int]) -> None:
    found = of(pictures.encode(plain(size, (200, 100, 30)), format_))
    assert rgb(found.colour) == pytest.approx((200, 100, 30), abs=4)


def test_the_colour_is_the_one_that_most_pixels_have() -> None:
    image = plain((300, 200), (20, 120, 220))
    image.paste((250, 250, 0), (0, 0, 120, 200))
    # Their mean would be a greenish grey.
    assert rgb(of(pictures.encode(image, "png")).colour) == pytest.approx((20, 120, 220), abs=2)


def test_what_is_transparent_does_not_count() -> None:
    image = plain((300, 200), (255, 0, 0, 0), "RGBA")
    image.paste((20, 200, 30, 255), (100, 50, 140, 150))
    assert rgb(of(pictures.encode(image, "png")).colour) == pytest.approx((20, 200, 30), abs=2)


def test_where_all_is_transparent_there_is_no_colour() -> None:
    assert of(pictures.encode(plain((300, 200), (255, 0, 0, 0), "RGBA"), "png")).colour is None


def test_the_colour_beneath_transparent_pixels_is_not_mixed_in() -> None:
    image = plain((300, 300), (0, 0, 0, 0), "RGBA")
    for y in range(0, 300, 2):
        image.paste((240, 240, 240, 255), (0, y, 300, y + 1))
    hashed = int.from_bytes(b64decode(of(pictures.encode(image, "png")).thumbhash)[:3], "little")
    assert hashed & 63 == round(240 / 255 * 63)  # luminance, of what can be seen


@pytest.mark.parametrize(("size", "expected"), [((700, 300), 7 / 3), ((300, 700), 3 / 7), ((500, 500), 1)])
def test_the_aspect_is_in_it(size: tuple[int, int], expected: float) -> None:
    assert aspect(of(pictures.jpeg(*size))) == pytest.approx(expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_upright(orientation: int) -> None:
    upright = of(pictures.oriented(1, 280, 120))
    assert of(pictures.oriented(orientation, 280, 120)) == upright
    assert aspect(upright) == pytest.approx(7 / 3)


def test_the_profile_is_applied() -> None:
    data = pictures.encode(
        plain((60, 40), (255, 0, 0)), "png", icc_profile=pictures.red_green_swapped_profile()
    )
    assert rgb(of(data).colour) == pytest.approx((0, 255, 0), abs=4)


def test_a_profile_that_is_none_is_passed_over() -> None:
    data = pictures.encode(plain((60, 40), (255, 0, 0)), "png", icc_profile=b"no profile")
    assert rgb(of(data).colour) == (255, 0, 0)


def test_inks_become_colours() -> None:
    found = of(pictures.encode(plain((60, 40), (0, 0, 0, 255), "CMYK"), "jpeg"))
    assert max(rgb(found.colour)) < 60


def test_16_bits_are_as_good_as_8() -> None:
    found = of(pictures.png_16_bit(60, 40, (0xC8FF, 0x64FF, 0x1EFF)))
    assert rgb(found.colour) == pytest.approx((200, 100, 30), abs=1)


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_of_an_animation_it_is_the_first_frame(kind: str) -> None:
    frames = [plain((60, 40), colour) for colour in ((200, 0, 0), (0, 0, 200), (0, 2, 204), (0, 0, 210))]
    options = {"save_all": True, "append_images": frames[1:], "duration": 100}
    red, green, blue = rgb(of(pictures.encode(frames[0], kind, **options)).colour)
    assert red > 150
    assert max(green, blue) < 60


@pytest.mark.parametrize("size", [(20_000, 1), (1, 20_000), (5000, 3)])
def test_a_line_has_one_too(size: tuple[int, int]) -> None:
    assert rgb(of(pictures.encode(plain(size, (10, 200, 10)), "png")).colour) == (10, 200, 10)
