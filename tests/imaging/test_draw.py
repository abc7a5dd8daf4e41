"""What the pipeline does to pixels, besides sizes (`test_render`) and colours (`test_colours`)."""

import struct
import zlib
from math import sqrt
from pathlib import Path

import pytest
import pyvips
from PIL import Image, ImageChops, ImageDraw, ImageStat

from tests import pictures
from tests.profiles import DISPLAY_P3
from tintype.imaging import Colour, Crop, Focal, Format, Mode, Recipe, render

Pixel = tuple[int, ...]


def made(source: bytes | Path, recipe: Recipe) -> Image.Image:
    return pictures.decode(render(source, recipe).data)


def exact(width: int, height: int, **fields: object) -> Recipe:
    return Recipe(
        mode=Mode.COVER_EXACT,
        width=width,
        height=height,
        **{"format": Format.PNG, **fields},  # type: ignore[arg-type]  # as the tests name them
    )


def at(image: Image.Image, x: float, y: float, mode: str = "RGB") -> Pixel:
    """The pixel at these fractions of the picture."""
    pixel = image.convert(mode).getpixel((int(x * image.width), int(y * image.height)))
    assert isinstance(pixel, tuple)
    return pixel


def near(one: Pixel, other: Pixel, tolerance: int = 8) -> bool:
    return all(abs(a - b) <= tolerance for a, b in zip(one, other, strict=True))


def off(one: Image.Image, other: Image.Image) -> float:
    """The root of the mean square of all differences, in levels."""
    squares = ImageStat.Stat(ImageChops.difference(one, other)).rms
    return sqrt(sum(band**2 for band in squares) / len(squares))


CORNERS = [
    (Focal(0, 0), pictures.RED),
    (Focal(1, 0), pictures.GREEN),
    (Focal(0, 1), pictures.BLUE),
    (Focal(1, 1), pictures.YELLOW),
]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("focal", "colour"), CORNERS)
@pytest.mark.parametrize("format_", ["jpeg", "png", "webp"])
@pytest.mark.parametrize("box", [(30, 90), (90, 30)])
def test_a_focal_point_in_a_corner_keeps_the_corner(
    format_: str, focal: Focal, colour: Pixel, orientation: int, box: tuple[int, int]
) -> None:
    # Large enough to be decoded small.
    data = pictures.oriented(orientation, 960, 720, format_)
    image = made(data, exact(*box, focal=focal))
    assert image.size == box
    assert near(at(image, focal.x * 0.9 + 0.05, focal.y * 0.9 + 0.05), colour, 12)


@pytest.mark.parametrize("crop", [Crop.ATTENTION, Crop.ENTROPY])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mirror", [False, True])
def test_a_crop_finds_what_there_is_to_see(orientation: int, crop: Crop, mirror: bool) -> None:  # noqa: FBT001  # a parameter
    picture = Image.new("RGB", (600, 200), (120, 120, 120))
    detail = pictures.photo(16, 16).resize((120, 120), Image.Resampling.NEAREST)
    picture.paste(Image.blend(detail, Image.new("RGB", detail.size, (230, 60, 30)), 0.5), (430, 40))
    if mirror:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    exif = Image.Exif()
    exif[pictures.ORIENTATION_TAG] = orientation
    stored = picture.transpose(pictures.STORED_AS[orientation]) if orientation > 1 else picture
    image = made(pictures.encode(stored, "png", exif=exif), exact(100, 100, crop=crop))
    seen = sum(not near(pixel, (120, 120, 120), 4) for pixel in pictures.pixels(image.convert("RGB")))
    assert seen >= 0.9 * 60 * 60  # at a half, the patch has 60 pixels a side


def test_there_is_nothing_to_look_for_where_nothing_is_clipped() -> None:
    data = pictures.png(60, 40)
    assert render(data, exact(30, 20, crop=Crop.ATTENTION)) == render(data, exact(30, 20))


@pytest.mark.parametrize(
    ("format_", "width", "most"),
    [
        # No power of two divides these sides: to take 680.25 pixels for 680 costs 1.4 to 2.2 times as much.
        ("jpeg", 512, 5.2),
        ("jpeg", 300, 2.8),
        ("jpeg", 211, 5.0),
        ("jpeg", 130, 2.5),
        ("jpeg", 83, 2.0),
        ("webp", 512, 3.0),
        ("webp", 83, 3.0),
        ("png", 512, 2.0),
        ("png", 83, 2.0),
    ],
)
def test_what_is_decoded_small_stays_in_its_place(format_: str, width: int, most: float) -> None:
    source = pictures.photo(2721, 157, seed=3)
    ImageDraw.Draw(source).line([(x, (x * 37) % 157) for x in range(0, 2721, 9)], fill=(0, 0, 0), width=7)
    data = pictures.encode(source, format_, quality=98, **({"subsampling": 0} if format_ == "jpeg" else {}))
    image = made(data, Recipe(width=width, format=Format.PNG, lossless=True)).convert("RGB")
    decoded = pictures.decode(data).convert("RGB")
    assert off(image, decoded.resize(image.size, Image.Resampling.LANCZOS)) <= most


@pytest.mark.parametrize("start", [0, 0.31, 0.77, 1])
@pytest.mark.parametrize("width", [160, 97, 53])
def test_a_clipped_jpeg_that_is_decoded_small_stays_in_its_place(width: int, start: float) -> None:
    source = pictures.photo(2721, 403, seed=3)
    data = pictures.encode(source, "jpeg", quality=98, subsampling=0)
    image = made(data, exact(width, width, focal=Focal(start, 0), lossless=True)).convert("RGB")
    scale = width / 403
    left = min(max(start * 2721 * scale - width / 2, 0), 2721 * scale - width)
    box = (left / scale, 0, (left + width) / scale, 403)
    reference = pictures.decode(data).resize((width, width), Image.Resampling.LANCZOS, box=box)
    assert off(image, reference) <= 0.8  # 0.92 and more when it is cut at whole pixels of what is decoded


@pytest.mark.parametrize("width", [23, 50, 77])
@pytest.mark.parametrize("colour", [(120, 60, 20), (250, 250, 250), (10, 10, 10)])
def test_alpha_edges_have_no_bright_rim(width: int, colour: tuple[int, int, int]) -> None:
    source = pictures.translucent(100, 100, colour)
    image = made(pictures.encode(source, "png"), Recipe(width=width, lossless=True)).convert("RGBA")
    seen = [pixel for pixel in pictures.pixels(image) if pixel[3] > 0]
    assert max((pixel[i] - colour[i]) * pixel[3] / 255 for pixel in seen for i in range(3)) <= 2.5


def test_an_alpha_channel_that_hides_nothing_is_dropped() -> None:
    source = pictures.photo(300, 200)
    image = made(pictures.encode(source.convert("RGBA"), "png"), Recipe(width=100))
    assert image.mode == "RGB"
    assert off(image, source.resize(image.size, Image.Resampling.LANCZOS)) <= 1


@pytest.mark.parametrize("where", [(0, 0), (280, 180), (140, 90)])
@pytest.mark.parametrize("interlace", [0, 1])
def test_a_hole_anywhere_is_still_one(where: tuple[int, int], interlace: int) -> None:
    source = Image.new("RGBA", (300, 200), (*pictures.RED, 255))
    source.paste((0, 0, 0, 0), (*where, where[0] + 20, where[1] + 20))
    data = png(source, interlace=interlace)
    image = made(data, Recipe(width=150)).convert("RGBA")
    x, y = where[0] // 2 + 5, where[1] // 2 + 5
    assert image.getpixel((x, y))[3] == 0  # type: ignore[index]  # RGBA
    edge = [pixel for pixel in pictures.pixels(image) if 40 < pixel[3] < 255]
    assert edge
    assert all(near(pixel[:3], pictures.RED) for pixel in edge)


def test_a_hole_in_sixteen_bits_by_another_profile_is_still_one() -> None:
    levels = struct.pack(">4H", 0xFFFF, 0, 0, 0x0FFF)  # a sixteenth opaque
    rows = zlib.compress((b"\0" + levels * 64) * 48)
    profile = b"P3\0\0" + zlib.compress(DISPLAY_P3)
    data = (
        pictures.PNG_SIGNATURE
        + pictures.png_chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 48, 16, 6, 0, 0, 0))
        + pictures.png_chunk(b"iCCP", profile)
        + pictures.png_chunk(b"IDAT", rows)
        + pictures.png_chunk(b"IEND", b"")
    )
    assert near(at(made(data, Recipe(width=32)), 0.5, 0.5, "RGBA"), (255, 0, 0, 16), 3)


GROUNDS = [
    # Half-transparent red on it; the padding.
    (Colour(0, 0, 255), Format.PNG, (115, 10, 138, 255), (0, 0, 255, 255)),
    (Colour(0, 0, 255), Format.JPEG, (115, 10, 138, 255), (0, 0, 255, 255)),
    (Colour(0, 0, 255, 0), Format.PNG, (230, 20, 20, 128), (0, 0, 255, 0)),
    (Colour(0, 0, 0, 128), Format.JPEG, (179, 74, 74, 255), (127, 127, 127, 255)),
    (None, Format.PNG, (230, 20, 20, 128), (0, 0, 0, 0)),
    (None, Format.JPEG, (242, 137, 137, 255), (0, 0, 0, 255)),
]


@pytest.mark.parametrize(("background", "target", "seen", "padding"), GROUNDS)
def test_a_background_lies_under_the_picture_and_around_it(
    background: Colour | None, target: Format, seen: Pixel, padding: Pixel
) -> None:
    source = pictures.encode(Image.new("RGBA", (80, 40), (*pictures.RED, 128)), "png")
    recipe = Recipe(
        mode=Mode.FIT_EXACT, width=40, height=40, background=background, format=target, quality=95
    )
    image = made(source, recipe)
    assert near(at(image, 0.5, 0.5, "RGBA"), seen, 6)
    around = at(image, 0.5, 0.1, "RGBA")
    assert around[3] == padding[3]
    assert padding[3] == 0 or near(around, padding, 6)


@pytest.mark.parametrize("mode", ["L", "LA", "1", "P"])
@pytest.mark.parametrize("target", [Format.PNG, Format.JPEG, Format.WEBP])
def test_a_grey_picture_can_be_padded_in_colour(mode: str, target: Format) -> None:
    source = pictures.encode(Image.new("L", (80, 40), 255).convert(mode), "png")
    recipe = Recipe(mode=Mode.FIT_EXACT, width=40, height=40, background=Colour(0, 160, 0), format=target)
    image = made(source, recipe)
    assert near(at(image, 0.5, 0.5), (255, 255, 255), 10)
    assert near(at(image, 0.5, 0.1), (0, 160, 0), 10)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_padding_lies_where_a_person_sees_it(orientation: int) -> None:
    recipe = Recipe(mode=Mode.FIT_EXACT, width=80, height=31, background=Colour(0, 0, 0), format=Format.PNG)
    image = made(pictures.oriented(orientation, 80, 60, "png"), recipe)
    assert image.size == (80, 31)
    assert at(image, 0.02, 0.5) == at(image, 0.98, 0.5) == (0, 0, 0)
    left, right = (80 - 41) // 2, (80 + 41) // 2
    assert near(at(image, (left + 3) / 80, 0.1), pictures.RED)
    assert near(at(image, (right - 3) / 80, 0.1), pictures.GREEN)


@pytest.mark.parametrize(("linear", "level"), [(False, 128), (True, 188)])
@pytest.mark.parametrize("format_", ["png", "jpeg", "webp"])
def test_half_of_the_light_is_another_level_than_half_of_the_level(
    format_: str,
    linear: bool,  # noqa: FBT001  # a parameter
    level: int,
) -> None:
    # Black and white, pixel by pixel: by IEC 61966-2-1 half of the light is 188.
    source = Image.new("L", (640, 480))
    source.putdata([255 * ((x + y) % 2) for y in range(480) for x in range(640)])
    data = pictures.encode(
        source.convert("RGB"), format_, **({"lossless": True} if format_ == "webp" else {"quality": 100})
    )
    image = made(data, Recipe(width=40, linear=linear, format=Format.PNG))
    assert near(at(image, 0.5, 0.5), (level, level, level), 3)


def test_linear_light_has_no_fringes_either() -> None:
    data = pictures.encode(pictures.translucent(100, 100), "png")
    image = made(data, Recipe(width=50, linear=True)).convert("RGBA")
    edge = [pixel for pixel in pictures.pixels(image) if 40 < pixel[3] < 255]
    assert edge
    assert all(near(pixel[:3], pictures.RED) for pixel in edge)


def test_device_pixels_multiply_the_sides() -> None:
    data = pictures.png(200, 100)
    assert render(data, Recipe(width=50, dpr=1.5)) == render(data, Recipe(width=75))


def png(image: Image.Image, *, interlace: int = 0) -> bytes:
    """An RGBA PNG, by hand where it is interlaced (Pillow can't): the seven passes of Adam7."""
    if not interlace:
        return pictures.encode(image, "png")
    passes = (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    )
    data, rows = image.tobytes(), []
    for x, y, right, down in passes:
        for line in range(y, image.height, down):
            offsets = (4 * (line * image.width + column) for column in range(x, image.width, right))
            rows.append(b"\0" + b"".join(data[offset : offset + 4] for offset in offsets))
    return (
        pictures.PNG_SIGNATURE
        + pictures.png_chunk(b"IHDR", struct.pack(">IIBBBBB", *image.size, 8, 6, 0, 0, 1))
        + pictures.png_chunk(b"IDAT", zlib.compress(b"".join(rows)))
        + pictures.png_chunk(b"IEND", b"")
    )


def test_loaders_that_libvips_does_not_trust_with_hostile_bytes_are_blocked(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("1,2\n3,4\n")
    # What draws has blocked them.
    render(pictures.png(2, 2), Recipe(width=1))
    with pytest.raises(pyvips.Error, match="operation is blocked"):
        pyvips.Image.csvload(str(table))
