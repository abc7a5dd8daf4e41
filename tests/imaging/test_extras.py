"""HEIC, JXL and SVG, with their extras installed."""

import io
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests import pictures
from tests.extra_pictures import corners_svg, embedding, heic, jxl, svg
from tintype.imaging import (
    Format,
    ImageRefused,
    Limits,
    Mode,
    Reason,
    Recipe,
    inspect,
    output_format,
    render,
    verify,
)

CORNERS = {
    Format.HEIC: heic(pictures.corners(80, 60)),
    Format.JXL: jxl(pictures.corners(80, 60)),
    Format.SVG: corners_svg(),
}
MAKERS = {"heic": heic, "jxl": jxl}
Maker = Callable[..., bytes]


def refusal(data: bytes, limits: Limits | None = None) -> ImageRefused:
    with pytest.raises(ImageRefused) as caught:
        verify(data, inspect(data, limits or Limits()))
    return caught.value


def made(data: bytes, recipe: Recipe) -> Image.Image:
    """The rendition, out of whatever palette it has."""
    return pictures.decode(render(data, recipe).data).convert("RGBA")


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """As the picture is stored that the orientation brings back upright."""
    return image.transpose(pictures.STORED_AS[orientation]) if orientation in pictures.STORED_AS else image


def assert_corners(image: Image.Image) -> None:
    """The patches of `pictures.corners` are where they belong."""
    width, height = image.size
    at = {
        pictures.RED: (width // 8, height // 8),
        pictures.GREEN: (width * 7 // 8, height // 8),
        pictures.BLUE: (width // 8, height * 7 // 8),
        pictures.YELLOW: (width * 7 // 8, height * 7 // 8),
        pictures.GREY: (width // 2, height // 2),
    }
    for colour, position in at.items():
        assert image.convert("RGB").getpixel(position) == pytest.approx(colour, abs=20)


@pytest.mark.parametrize("format_", CORNERS)
def test_the_header_says_what_it_is(format_: Format) -> None:
    info = inspect(CORNERS[format_])
    assert (info.format, info.width, info.height, info.frames) == (format_, 80, 60, 1)
    assert (info.has_alpha, info.orientation) == (format_ is Format.SVG, 1)


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (64, 48), (257, 100), (640, 512), (1600, 900), (3000, 2)])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA"])
@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"use_container": True}])
def test_the_size_and_alpha_of_a_jxl_are_read_from_its_header(
    size: tuple[int, int], mode: str, options: dict[str, bool]
) -> None:
    info = inspect(jxl(Image.new(mode, size), **options))
    assert (info.width, info.height, info.has_alpha) == (*size, "A" in mode)


@pytest.mark.parametrize("format_", CORNERS)
@pytest.mark.parametrize("from_file", [True, False])
def test_it_is_drawn(format_: Format, tmp_path: Path, *, from_file: bool) -> None:
    path = tmp_path / "picture"
    path.write_bytes(CORNERS[format_])
    rendition = render(path if from_file else CORNERS[format_], Recipe(width=40))
    assert_corners(pictures.decode(rendition.data))
    assert (rendition.width, rendition.height) == (40, 30)
    assert rendition.format is (Format.PNG if format_ is Format.SVG else Format.JPEG)


@pytest.mark.parametrize("format_", CORNERS)
@pytest.mark.parametrize("alpha", [False, True])
def test_nothing_of_them_is_made_unless_asked(format_: Format, *, alpha: bool) -> None:
    expected = Format.PNG if alpha else Format.JPEG
    assert output_format(format_, Recipe(width=8), has_alpha=alpha) is expected


@pytest.mark.parametrize("format_", [Format.HEIC, Format.SVG])
def test_sources_are_no_targets(format_: Format) -> None:
    with pytest.raises(ValueError, match="source only"):
        Recipe(format=format_)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_alpha_is_kept(make: Maker) -> None:
    data = make(pictures.translucent(80, 80))
    assert inspect(data).has_alpha
    image = made(data, Recipe(width=40))
    assert image.getchannel("A").getpixel((1, 1)) == 0
    assert image.getpixel((20, 20)) == pytest.approx((*pictures.RED, 255), abs=8)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_grey_stays_grey(make: Maker) -> None:
    assert made(make(Image.new("L", (40, 30), 77)), Recipe(width=20)).convert("L").getpixel((5, 5)) == (
        pytest.approx(77, abs=3)
    )


def test_the_profile_of_a_heic_is_applied() -> None:
    data = heic(Image.new("RGB", (40, 30), (250, 10, 10)), icc_profile=pictures.red_green_swapped_profile())
    assert made(data, Recipe(width=20)).getpixel((5, 5)) == pytest.approx((10, 250, 10, 255), abs=20)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_heic_is_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[pictures.ORIENTATION_TAG] = orientation
    data = heic(turned(pictures.corners(80, 60), orientation), exif=exif.tobytes())
    info = inspect(data)
    assert (info.width, info.height, info.orientation) == (80, 60, 1)
    assert_corners(made(data, Recipe(width=40)))


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_jpeg_packed_as_jxl_is_upright_whatever_its_exif_says(orientation: int, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(pictures.oriented(orientation))
    data = jxl(Image.open(path), lossless_jpeg=True)
    info = inspect(data)
    assert (info.width, info.height, info.orientation) == (80, 60, 1)
    assert_corners(made(data, Recipe(width=40)))


def test_of_a_heic_with_ten_bits_there_is_a_picture() -> None:
    import pillow_heif  # noqa: PLC0415  only here

    deep = pillow_heif.from_bytes(mode="RGB;16", size=(40, 30), data=b"\x00\xc8\x00\x64\x00\x1e" * 1200)
    out = io.BytesIO()
    deep.save(out, quality=90)
    assert made(out.getvalue(), Recipe(width=20)).getpixel((5, 5)) == pytest.approx(
        (200, 100, 30, 255), abs=6
    )


@pytest.mark.parametrize("source", ["png", "jpeg", *CORNERS])
def test_anything_becomes_a_jxl(source: str) -> None:
    data = (
        CORNERS[Format(source)]
        if source in list(CORNERS)
        else pictures.encode(pictures.corners(80, 60), source)
    )
    rendition = render(data, Recipe(width=40, format=Format.JXL, quality=97))
    assert rendition.format is Format.JXL
    assert_corners(pictures.decode(rendition.data))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA"])
def test_a_lossless_jxl_has_every_pixel(mode: str) -> None:
    image = pictures.photo(60, 40).convert(mode)
    rendition = render(pictures.encode(image, "png"), Recipe(format=Format.JXL, lossless=True))
    back = pictures.decode(rendition.data)
    assert back.convert(mode).tobytes() == image.tobytes()


@pytest.mark.parametrize("size", [(1, 1), (30, 20)])
def test_the_best_quality_of_a_jxl_is_lossless(size: tuple[int, int]) -> None:
    source = pictures.encode(pictures.photo(*size), "png")
    best = render(source, Recipe(format=Format.JXL, quality=100)).data
    assert best == render(source, Recipe(format=Format.JXL, lossless=True)).data


def test_quality_changes_the_size_of_a_jxl() -> None:
    source = pictures.png(300, 200)
    sizes = [len(render(source, Recipe(format=Format.JXL, quality=quality)).data) for quality in (30, 60, 90)]
    assert sizes == sorted(set(sizes))


@pytest.mark.parametrize("format_", [Format.HEIC, Format.JXL])
def test_a_file_cut_short_is_refused_wherever_it_is_cut(format_: Format) -> None:
    data = MAKERS[format_](pictures.photo(200, 150))
    for cut in (20, 40, len(data) // 3, len(data) // 2, len(data) * 9 // 10):
        assert refusal(data[:cut]).reason in {Reason.DAMAGED, Reason.UNSUPPORTED}, cut


@pytest.mark.parametrize("data", [b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n", pictures.ftyp(b"heic"), b"<svg>"])
def test_a_signature_with_nothing_behind_it_is_damaged(data: bytes) -> None:
    assert refusal(data).reason is Reason.DAMAGED


@pytest.mark.parametrize("format_", CORNERS)
def test_limits_are_held_against_the_header(format_: Format) -> None:
    data = CORNERS[format_]
    assert refusal(data, Limits(max_side=79)).reason is Reason.TOO_LARGE_SIDE
    assert refusal(data, Limits(max_pixels=80 * 60 - 1)).reason is Reason.TOO_MANY_PIXELS


def test_a_jxl_bomb_is_refused_by_its_header() -> None:
    # 2^18 by 2^18 pixels in seven bytes: both sides with 18 bits, no ratio; then all as usual.
    size = 0b10 << 1 | (2**18 - 1) << 3 | 0b000 << 21 | 0b10 << 24 | (2**18 - 1) << 26
    data = b"\xff\x0a" + (size | 1 << 44).to_bytes(8, "little")
    assert refusal(data).reason is Reason.TOO_LARGE_SIDE
    assert "262144 \N{MULTIPLICATION SIGN} 262144" in str(refusal(data))


def test_an_animated_jxl_is_refused_in_words() -> None:
    # 8 by 8 pixels: small, one eighth, square; not as usual, with more fields, upright, no size, no preview.
    bits = 1 | 0 << 1 | 1 << 6 | 0 << 9 | 1 << 10 | 0 << 11 | 0 << 14 | 0 << 15 | 1 << 16
    refused = refusal(b"\xff\x0a" + bits.to_bytes(8, "little"))
    assert refused.reason is Reason.UNSUPPORTED
    assert "Animated JXL" in str(refused)


@pytest.mark.parametrize("format_", CORNERS)
def test_corrupt_bytes_are_refused_at_most(format_: Format) -> None:
    dice, data = random.Random(format_), CORNERS[format_]
    for _ in range(25):
        changed = bytearray(data)
        for _ in range(dice.choice((1, 3, 20))):
            changed[dice.randrange(len(changed))] = dice.randrange(256)
        try:
            verify(bytes(changed), inspect(bytes(changed)))
        except ImageRefused as refused:
            assert str(refused)  # noqa: PT017  a refusal or none, both are right


def test_an_svg_is_drawn_with_what_it_holds() -> None:
    assert_corners(made(embedding(pictures.corners(80, 60)), Recipe(width=80)))


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ('width="120" height="40"', (120, 40)),
        ('width="120px" height="1in"', (120, 96)),
        ('width="2.54cm" height="25.4mm"', (96, 96)),
        ('width="72pt" height="6pc"', (96, 96)),
        ('viewBox="0 0 30 20"', (30, 20)),
        ('width="100%" height="100%" viewBox="5,5,30,20"', (30, 20)),
        ('width="60" viewBox="0 0 30 20"', (60, 40)),
        ('height="60" viewBox="0 0 30 20"', (90, 60)),
        ("", (300, 150)),
        ('width="40"', (40, 150)),
        ('width="10.4" height="10.6"', (10, 11)),
        ('width="0.2" height="3"', (1, 3)),
        ('width=" 40 " height="+30"', (40, 30)),
        # CSS Values and Units 4, 5.3: a number may have an exponent.
        ('width="1e2" height="1E2"', (100, 100)),
        ('width="12.5e+1px" height="3000e-2"', (125, 30)),
        ('width="1e0in" height=".5e1em"', (96, 80)),
        ('width="2em" height="2ex"', (32, 16)),
        ('viewBox="0 0 3e1 2e1"', (30, 20)),
        ('width="1e" height="e2"', (300, 150)),
    ],
)
def test_the_size_of_an_svg(attributes: str, size: tuple[int, int]) -> None:
    data = f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}><rect width="9" height="9"/></svg>'.encode()
    info = inspect(data)
    assert (info.width, info.height) == size
    verify(data, info)


@pytest.mark.parametrize("width", ["1e9", "1e300", "9e999999999"])
def test_an_exponent_makes_no_side_too_long_for_the_limits(width: str) -> None:
    with pytest.raises(ImageRefused) as refused:
        inspect(svg(width=width, height=1))
    assert refused.value.reason is Reason.TOO_LARGE_SIDE


BEHIND = {
    "a comment": "<!--" + "x " * 20_000 + "-->",
    "a comment of what looks like a root": "<!--" + "<html> ' \" ]> " * 1000 + "-->",
    "many comments": "<!-- - -->\n" * 2000,
    "white space": "\n\t " * 10_000,
    "instructions": "<?xml-stylesheet type='text/plain' href='" + "a" * 9000 + "'?>",
    "a document type": '<!DOCTYPE svg [<!ENTITY a "]>"><!-- it\'s ]> --> ' + "\n" * 9000 + "]>",
}


@pytest.mark.parametrize("declaration", ["", "<?xml version='1.0'?>\n"])
@pytest.mark.parametrize("before", BEHIND.values(), ids=BEHIND)
def test_the_root_is_found_behind_what_xml_allows_before_it(before: str, declaration: str) -> None:
    data = (declaration + before).encode() + svg('<rect width="80" height="60" fill="#f00"/>')
    if before.isspace() and not declaration:
        data = data.lstrip() + before.encode()  # a document without a declaration may begin with white space
    verify(data, inspect(data))
    assert made(data, Recipe(width=40)).getpixel((20, 15)) == (255, 0, 0, 255)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"<!doctype HTML><p>", "Types that can bear scripts"),
        (b"\xef\xbb\xbf\n<!-- a --><HTML>", "Types that can bear scripts"),
        (b"<script>", "Types that can bear scripts"),
        ("\ufeff<html>".encode("utf-16-le"), "Types that can bear scripts"),
        (b"<?xml version='1.0'?><gpx/>", "XML other than SVG"),
        (b"<!DOCTYPE kml><kml>", "XML other than SVG"),
        (
            b"<!--" + b" " * 70_000 + b"--><svg/>",
            "No root element of an SVG begins within the first 65,536 bytes",
        ),
        (b" " * 70_000 + b"<svg/>", "No root element of an SVG begins within the first 65,536 bytes"),
        (b"<3 you", "The file isn't a picture of a known type"),
        (b"<!-- a --> text", "The file isn't a picture of a known type"),
        (b"<!--", "The file isn't a picture of a known type"),
    ],
)
def test_what_markup_is_refused_for_is_true(data: bytes, sentence: str) -> None:
    with pytest.raises(ImageRefused, match=sentence) as refused:
        inspect(data)
    assert refused.value.reason is Reason.UNSUPPORTED


@pytest.mark.parametrize("mode", [Mode.FIT, Mode.FIT_EXACT, Mode.COVER, Mode.COVER_EXACT, Mode.SCALE])
def test_an_svg_fills_what_is_asked_for(mode: Mode) -> None:
    full = svg('<rect width="80" height="60" fill="#c80000"/>')
    rendition = render(full, Recipe(mode=mode, width=101, height=76))
    image = pictures.decode(rendition.data).convert("RGBA")
    assert image.size == (rendition.width, rendition.height)
    x, y = image.width // 2, image.height // 2
    assert image.getpixel((x, y)) == pytest.approx((200, 0, 0, 255), abs=2)


@pytest.mark.parametrize(
    ("recipe", "edge"),
    [
        (Recipe(width=800), 400),
        (Recipe(mode=Mode.SCALE, width=800, height=100), 400),
        (Recipe(mode=Mode.COVER_EXACT, width=800, height=800), 400),
        (Recipe(width=20), 10),
    ],
)
def test_an_svg_is_sharp_at_any_size(recipe: Recipe, edge: int) -> None:
    image = made(
        svg('<rect width="40" height="60"/><rect x="40" width="40" height="60" fill="#fff"/>'), recipe
    )
    grey = image.convert("L")
    row = grey.crop((0, grey.height // 2, grey.width, grey.height // 2 + 1)).tobytes()
    # At its own size the edge would be as wide as ten of these pixels. Resampling overshoots a little.
    assert max(row[: edge - 2]) < 16
    assert min(row[edge + 2 :]) > 239


def test_a_strip_of_an_svg_is_drawn_within_bounds() -> None:
    # At the size that covers the box it would have 8000 by 8000 pixels.
    data = svg('<rect width="80" height="60" fill="#c80000"/>', height=80, more='preserveAspectRatio="none"')
    rendition = render(data, Recipe(mode=Mode.COVER_EXACT, width=8000, height=80))
    assert pictures.decode(rendition.data).convert("RGB").getpixel((4000, 40)) == pytest.approx(
        (200, 0, 0), abs=2
    )
