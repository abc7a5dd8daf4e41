import struct
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from tests import pictures
from tests.pictures import near
from tintype.imaging import (
    Format,
    ImageRefused,
    Limits,
    Mode,
    OutputLimits,
    Reason,
    Recipe,
    inspect,
    output_format,
    render,
)
from tintype.imaging.formats import SPECS

Size = tuple[int, int]
BUILT_IN = [entry.format for entry in SPECS if entry.package is None]
WRITTEN = [entry.format for entry in SPECS if entry.package is None and entry.saver is not None]
LANDSCAPE, PORTRAIT, SMALL = (120, 80), (80, 120), (30, 20)

# By arithmetic from the contract: the source's size, the box, the result's size (by mode)
EXACT = (60, 60)
BOTH_SIDES = [
    (LANDSCAPE, {Mode.COVER: (90, 60), Mode.FIT: (60, 40)}),
    (PORTRAIT, {Mode.COVER: (60, 90), Mode.FIT: (40, 60)}),
    (SMALL, {Mode.COVER: (90, 60), Mode.FIT: (60, 40)}),
]
ONE_SIDE_OR_NONE = [
    (LANDSCAPE, (60, None), (60, 40)),
    (LANDSCAPE, (None, 60), (90, 60)),
    (LANDSCAPE, (None, None), (120, 80)),
    (PORTRAIT, (60, None), (60, 90)),
    (PORTRAIT, (None, 60), (40, 60)),
    (PORTRAIT, (None, None), (80, 120)),
    (SMALL, (60, None), (60, 40)),
    (SMALL, (None, 60), (90, 60)),
    (SMALL, (None, None), (30, 20)),
]


def made(source: bytes | Path, recipe: Recipe) -> Image.Image:
    """The rendition as Pillow sees it; its own word on its size has to agree."""
    rendition = render(source, recipe)
    image = pictures.decode(rendition.data)
    assert image.format == rendition.format.upper()
    assert image.size == (rendition.width, rendition.height)
    return plain(image)


def plain(image: Image.Image) -> Image.Image:
    """The image with its palette looked up."""
    if image.mode != "P":
        return image
    name, found = image.format, image.convert("RGBA" if "transparency" in image.info else "RGB")
    found.format = name
    return found


def one_colour(colour: tuple[int, ...], format_: str = "png", mode: str = "RGB", **options: object) -> bytes:
    return pictures.encode(Image.new(mode, (40, 30), colour), format_, **options)


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(("source", "sizes"), BOTH_SIDES)
def test_sizes_for_a_box(source: Size, sizes: dict[Mode, Size], mode: Mode) -> None:
    image = made(pictures.jpeg(*source), Recipe(mode=mode, width=60, height=60))
    assert image.size == sizes.get(mode, EXACT)


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(("source", "box", "size"), ONE_SIDE_OR_NONE)
def test_sizes_for_one_side_or_none(
    source: Size, box: tuple[int | None, int | None], size: Size, mode: Mode
) -> None:
    image = made(pictures.png(*source), Recipe(mode=mode, width=box[0], height=box[1]))
    assert image.size == size


@pytest.mark.parametrize(
    ("mode", "size"),
    [
        (Mode.SCALE, SMALL),
        (Mode.COVER, SMALL),
        (Mode.COVER_EXACT, SMALL),
        (Mode.FIT, SMALL),
        (Mode.FIT_EXACT, EXACT),
    ],
)
def test_sizes_without_enlargement(mode: Mode, size: Size) -> None:
    recipe = Recipe(mode=mode, width=60, height=60, enlarge=False)
    assert made(pictures.jpeg(*SMALL), recipe).size == size


@pytest.mark.parametrize("source", [(1, 1), (1, 3000), (3000, 1), (801, 603)])
@pytest.mark.parametrize("box", [(1, 1), (7, 301), (333, 2)])
@pytest.mark.parametrize("orientation", [1, 6])
def test_scaling_is_exact_for_awkward_sizes(source: Size, box: Size, orientation: int) -> None:
    data = pictures.oriented(orientation, *source)
    for mode in (Mode.SCALE, Mode.COVER_EXACT, Mode.FIT_EXACT):
        assert made(data, Recipe(mode=mode, width=box[0], height=box[1])).size == box


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_", ["jpeg", "png", "webp", "tiff", "avif"])
@pytest.mark.parametrize("width", [None, 41, 200])
def test_every_orientation_comes_out_upright(orientation: int, format_: str, width: int | None) -> None:
    image = made(
        pictures.oriented(orientation, 80, 60, format_), Recipe(width=width, format=Format.PNG)
    ).convert("RGB")
    right, bottom = image.width - 3, image.height - 3
    assert near(image.getpixel((2, 2)), pictures.RED)
    assert near(image.getpixel((right, 2)), pictures.GREEN)
    assert near(image.getpixel((2, bottom)), pictures.BLUE)
    assert near(image.getpixel((right, bottom)), pictures.YELLOW)
    assert near(image.getpixel((image.width // 2, image.height // 2)), pictures.GREY)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("box", [(31, 31), (30, 47), (64, 21), (150, 150)])
@pytest.mark.parametrize("mode", [Mode.COVER_EXACT, Mode.FIT_EXACT])
def test_clipping_and_padding_are_the_same_in_every_orientation(
    orientation: int, box: Size, mode: Mode
) -> None:
    recipe = Recipe(mode=mode, width=box[0], height=box[1])
    upright = made(pictures.oriented(1, 81, 60, "png"), recipe)
    turned = made(pictures.oriented(orientation, 81, 60, "png"), recipe)
    assert all(near(a, b, 3) for a, b in zip(pictures.pixels(turned), pictures.pixels(upright), strict=True))


@pytest.mark.parametrize("box", [(200, 20), (333, 4), (50, 40), (30, 7)])
def test_scaling_moves_nothing_sideways(box: Size) -> None:
    ramp = Image.linear_gradient("L").rotate(90).resize((100, 10))
    image = made(pictures.encode(ramp, "png"), Recipe(mode=Mode.SCALE, width=box[0], height=box[1]))
    reference = ramp.resize(box, Image.Resampling.BICUBIC)
    pairs = zip(pictures.pixels(image), pictures.pixels(reference), strict=True)
    shifts = [one[0] - other[0] for one, other in pairs]
    assert (
        abs(sum(shifts) / len(shifts)) < 0.6
    )  # a pixel of the source is 2.56 levels; truncation costs up to 1/2


def test_clipping_keeps_the_middle() -> None:
    source = Image.new("RGB", (200, 100), pictures.RED)
    ImageDraw.Draw(source).rectangle((50, 0, 149, 99), fill=pictures.BLUE)
    image = made(pictures.encode(source, "png"), Recipe(mode=Mode.COVER_EXACT, width=50, height=50))
    assert {image.getpixel((x, 25)) for x in range(50)} == {pictures.BLUE}


@pytest.mark.parametrize("target", WRITTEN)
def test_padding_is_transparent_where_the_format_can_be_else_black(target: Format) -> None:
    recipe = Recipe(mode=Mode.FIT_EXACT, width=60, height=60, format=target)
    image = made(one_colour(pictures.YELLOW, "jpeg", quality=95), recipe).convert("RGBA")
    padding = (0, 0, 0, 255) if target is Format.JPEG else (0,)
    # 40 by 30 in 60 by 60 gives 60 by 45, with 7 rows above.
    assert near(image.getpixel((30, 30)), (*pictures.YELLOW, 255), 12)
    for y in (0, 59):
        pixel = image.getpixel((30, y))
        assert isinstance(pixel, tuple)
        assert near(pixel[-len(padding) :], padding, 12)


def test_a_transparent_picture_is_laid_on_white_in_a_jpeg_and_padded_black() -> None:
    recipe = Recipe(mode=Mode.FIT_EXACT, width=80, height=120, format=Format.JPEG)
    image = made(pictures.encode(pictures.translucent(80, 80), "png"), recipe)
    assert near(image.getpixel((2, 22)), (255, 255, 255))
    assert near(image.getpixel((40, 60)), pictures.RED)
    assert near(image.getpixel((40, 5)), (0, 0, 0))


@pytest.mark.parametrize("width", [23, 50, 300])
def test_alpha_edges_have_no_dark_fringe(width: int) -> None:
    image = made(pictures.encode(pictures.translucent(100, 100), "png"), Recipe(width=width))
    edge = [pixel for pixel in pictures.pixels(image) if 0 < pixel[3] < 255]
    assert edge
    # What is seen of a level is as much of it as the pixel is opaque.
    seen_off = [
        abs(a - b) * pixel[3] / 255 for pixel in edge for a, b in zip(pixel, pictures.RED, strict=False)
    ]
    assert max(seen_off) <= 2.5


def test_an_opaque_alpha_changes_no_colour() -> None:
    plain, opaque = pictures.photo(200, 150), pictures.photo(200, 150).convert("RGBA")
    images = [
        made(pictures.encode(image, "png"), Recipe(width=90)).convert("RGB") for image in (plain, opaque)
    ]
    pairs = zip(*map(pictures.pixels, images), strict=True)
    differences = [a - b for one, other in pairs for a, b in zip(one, other, strict=True)]
    assert max(map(abs, differences)) <= 1
    assert abs(sum(differences) / len(differences)) < 0.2


@pytest.mark.parametrize("target", WRITTEN)
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA"])
def test_unusual_pixels_become_every_target(mode: str, target: Format) -> None:
    source = Image.new("L", (40, 30), 255).convert(mode)
    image = made(pictures.encode(source, "png"), Recipe(width=20, format=target)).convert("RGB")
    assert near(image.getpixel((10, 7)), (255, 255, 255))


@pytest.mark.parametrize("target", WRITTEN)
def test_sixteen_bits_become_eight(target: Format) -> None:
    data = pictures.png_16_bit(40, 30, (0xC800, 0x6400, 0x3200))
    image = made(data, Recipe(width=20, format=target)).convert("RGB")
    assert near(image.getpixel((10, 7)), (200, 100, 50))


def test_sixteen_bit_grey_becomes_eight() -> None:
    data = pictures.encode(Image.new("I;16", (40, 30), 0x8000), "png")
    assert near(made(data, Recipe(width=20)).convert("RGB").getpixel((10, 7)), (128, 128, 128))


def test_a_palette_with_transparency_stays_transparent() -> None:
    data = pictures.encode(pictures.translucent(60, 60), "gif")
    image = made(data, Recipe(width=30)).convert("RGBA")
    assert near(image.getchannel("A").convert("RGB").getpixel((0, 0)), (0, 0, 0))
    assert near(image.getpixel((15, 15)), (*pictures.RED, 255))


@pytest.mark.parametrize("source", ["jpeg", "png", "webp", "avif", "tiff"])
@pytest.mark.parametrize("target", WRITTEN)
def test_a_profile_is_honoured(source: str, target: Format) -> None:
    data = one_colour((250, 10, 10), source, icc_profile=pictures.red_green_swapped_profile())
    assert near(
        made(data, Recipe(width=20, format=target)).convert("RGB").getpixel((10, 7)), (10, 250, 10), 12
    )


@pytest.mark.parametrize("source", ["jpeg", "png", "webp", "avif", "tiff"])
@pytest.mark.parametrize("target", WRITTEN)
def test_no_profile_is_kept_since_none_is_srgb(source: str, target: Format) -> None:
    data = one_colour((250, 10, 10), source, icc_profile=pictures.red_green_swapped_profile())
    assert "icc_profile" not in made(data, Recipe(width=20, format=target)).info


@pytest.mark.parametrize("source", ["jpeg", "png", "webp", "avif", "tiff"])
@pytest.mark.parametrize("profile", [b"no profile at all", bytes(200), None])
def test_a_broken_profile_fails_no_picture(source: str, profile: bytes | None) -> None:
    profile = profile or pictures.red_green_swapped_profile()[:300]
    image = made(one_colour((250, 10, 10), source, icc_profile=profile), Recipe(width=20))
    assert near(image.convert("RGB").getpixel((10, 7)), (250, 10, 10), 12)
    assert "icc_profile" not in image.info


def test_a_profile_for_other_channels_fails_no_picture() -> None:
    data = one_colour((200,), "jpeg", "L", icc_profile=pictures.red_green_swapped_profile())
    assert near(made(data, Recipe(width=20)).convert("RGB").getpixel((10, 7)), (200, 200, 200))


@pytest.mark.parametrize("source", ["jpeg", "tiff"])
@pytest.mark.parametrize("target", WRITTEN)
def test_printing_inks_become_red_green_and_blue(source: str, target: Format) -> None:
    white = made(one_colour((0, 0, 0, 0), source, "CMYK"), Recipe(width=20, format=target)).convert("RGB")
    red = made(one_colour((0, 255, 255, 0), source, "CMYK"), Recipe(width=20, format=target)).convert("RGB")
    assert near(white.getpixel((10, 7)), (255, 255, 255))
    # Which red exactly is the ink profile's affair.
    assert near(red.getpixel((10, 7)), (235, 30, 35), 35)


@pytest.mark.parametrize("target", WRITTEN)
@pytest.mark.parametrize("source", ["jpeg", "png", "webp", "avif"])
@pytest.mark.parametrize("width", [None, 30])
def test_metadata_is_stripped_even_when_nothing_is_resized(
    source: str, target: Format, width: int | None
) -> None:
    data = pictures.with_gps(64, 48, source)
    assert pictures.decode(data).getexif().get_ifd(pictures.GPS_IFD)
    rendition = render(data, Recipe(width=width, format=target))
    assert b"Secret Camera" not in rendition.data
    assert not dict(pictures.decode(rendition.data).getexif())


@pytest.mark.parametrize("format_", WRITTEN)
def test_the_format_follows_the_source_unless_it_is_asked(format_: Format) -> None:
    info = inspect(pictures.picture(format_))
    assert output_format(info.format, Recipe(), has_alpha=info.has_alpha) is format_
    assert output_format(info.format, Recipe(format=Format.WEBP), has_alpha=info.has_alpha) is Format.WEBP


def test_a_tiff_becomes_a_png_with_alpha_and_a_jpeg_without() -> None:
    assert made(pictures.tiff(alpha=True), Recipe()).format == "PNG"
    assert made(pictures.tiff(), Recipe()).format == "JPEG"


@pytest.mark.parametrize("data", [pictures.gif(frames=3), pictures.webp(frames=3), pictures.apng(3)])
def test_of_an_animation_the_first_frame_is_taken_for_a_png(data: bytes) -> None:
    image = made(data, Recipe(width=32, format=Format.PNG))
    assert getattr(image, "n_frames", 1) == 1
    reference = pictures.photo(64, 48).resize((32, 24), Image.Resampling.LANCZOS)
    pixel = reference.getpixel((16, 12))
    assert isinstance(pixel, tuple)
    assert near(image.convert("RGB").getpixel((16, 12)), pixel, 24)


@pytest.mark.parametrize("format_", [Format.JPEG, Format.WEBP, Format.AVIF])
def test_quality_changes_the_size_and_png_passes_over_it(format_: Format) -> None:
    data = pictures.png(200, 150)
    low, high = (len(render(data, Recipe(format=format_, quality=q)).data) for q in (10, 95))
    assert low < high
    assert render(data, Recipe(quality=10)) == render(data, Recipe())


def test_pngs_are_not_interlaced() -> None:
    header = render(pictures.png(), Recipe()).data[16:29]
    assert struct.unpack(">IIBBBBB", header)[-1] == 0


@pytest.mark.parametrize("format_", BUILT_IN)
def test_a_path_gives_the_same_as_its_bytes(format_: Format, tmp_path: Path) -> None:
    path = tmp_path / "picture [page=1].jpg"
    path.write_bytes(pictures.picture(format_))
    assert render(path, Recipe(width=20)) == render(pictures.picture(format_), Recipe(width=20))


def test_an_extreme_aspect_is_clipped_without_blowing_up() -> None:
    image = made(pictures.png(20_000, 2), Recipe(mode=Mode.COVER_EXACT, width=1000, height=1000))
    assert image.size == (1000, 1000)


def test_a_result_beyond_the_limits_is_refused() -> None:
    with pytest.raises(ImageRefused) as caught:
        render(pictures.png(), Recipe(width=101), OutputLimits(max_side=100))
    assert caught.value.reason is Reason.OUTPUT_TOO_LARGE


def test_a_side_the_format_has_no_room_for_is_refused() -> None:
    with pytest.raises(ImageRefused, match="WebP has room for 16383") as caught:
        render(pictures.png(16_384, 1), Recipe(width=16_384, format=Format.WEBP))
    assert caught.value.reason is Reason.OUTPUT_TOO_LARGE


def test_a_size_that_nobody_asked_for_is_capped() -> None:
    recipe = Recipe(mode=Mode.COVER, width=2, height=3)
    made = render(pictures.png(120, 1), recipe, OutputLimits(max_side=240))
    assert pictures.decode(made.data).size == (made.width, made.height) == (240, 2)


def test_a_source_beyond_its_limits_is_refused() -> None:
    with pytest.raises(ImageRefused) as caught:
        render(pictures.png(), Recipe(), source_limits=Limits(max_side=60))
    assert caught.value.reason is Reason.TOO_LARGE_SIDE


@pytest.mark.parametrize("format_", BUILT_IN)
def test_a_damaged_source_is_refused(format_: Format) -> None:
    data = pictures.picture(format_, 200, 150)
    with pytest.raises(ImageRefused) as caught:
        render(data[: len(data) // 2], Recipe(width=50))
    assert caught.value.reason is Reason.DAMAGED
