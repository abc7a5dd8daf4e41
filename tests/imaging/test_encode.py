import random
import struct

import pytest
from PIL import Image, JpegImagePlugin

from tests import pictures
from tests.quality import ssim
from tintype.imaging import Format, Recipe, render
from tintype.imaging.formats import SPECS

LOSSY = [Format.JPEG, Format.WEBP, Format.AVIF]
LOSSLESS = [Format.PNG, Format.WEBP, Format.AVIF]
TRUE_COLOUR, INDEXED, TRUE_COLOUR_WITH_ALPHA = 2, 3, 6  # PNG 11.2.1


def drawing(colours: int, size: tuple[int, int] = (61, 47), *, alpha: bool = False) -> Image.Image:
    """Blocks of so many different colours, all of which occur, in no order."""
    dice = random.Random(colours)
    picked = dice.sample(range(2**24), colours)
    image = Image.new("RGBA", size)
    columns, rows = -(-size[0] // 3), -(-size[1] // 2)
    cells = [at % colours for at in range(columns * rows)]
    dice.shuffle(cells)
    for y in range(size[1]):
        for x in range(size[0]):
            at = cells[x // 3 + y // 2 * columns]
            opacity = (at * 37) % 256 if alpha else 255
            image.putpixel((x, y), (*picked[at].to_bytes(3, "big"), opacity))
    return image if alpha else image.convert("RGB")


def png_depth_and_type(data: bytes) -> tuple[int, int]:
    depth, kind = struct.unpack(">BB", data[24:26])
    return depth, kind


def chunks(data: bytes) -> list[bytes]:
    """The kinds of a WebP's chunks."""
    kinds, at = [], 12
    while at < len(data):
        kinds.append(data[at : at + 4])
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + length + length % 2
    return kinds


@pytest.mark.parametrize(("size", "progressive"), [((600, 499), False), ((600, 500), True)])
def test_large_jpegs_are_progressive(size: tuple[int, int], *, progressive: bool) -> None:
    image = pictures.decode(render(pictures.jpeg(*size), Recipe()).data)
    assert bool(image.info.get("progressive")) is progressive


@pytest.mark.parametrize(("quality", "sampling"), [(None, 2), (89, 2), (90, 0), (100, 0)])
def test_jpegs_keep_all_chroma_from_quality_90(quality: int | None, sampling: int) -> None:
    image = pictures.decode(render(pictures.png(), Recipe(format=Format.JPEG, quality=quality)).data)
    assert JpegImagePlugin.get_sampling(image) == sampling  # 0 is 4:4:4, 2 is 4:2:0


@pytest.mark.parametrize("quality", [None, 20, 95])
def test_avifs_keep_all_chroma(quality: int | None) -> None:
    data = render(pictures.png(), Recipe(format=Format.AVIF, quality=quality)).data
    # AV1-ISOBMFF 2.3.3: the third byte of the configuration has the flags of subsampling behind four others.
    assert data[data.index(b"av1C") + 6] & 0b1100 == 0


@pytest.mark.parametrize("format_", [Format.JPEG, Format.PNG])
def test_grey_stays_grey(format_: Format) -> None:
    source = pictures.encode(pictures.photo(90, 60).convert("L"), "png")
    assert pictures.decode(render(source, Recipe(width=45, format=format_)).data).mode == "L"


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize(
    ("colours", "depth"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 4), (16, 4), (17, 8), (256, 8)]
)
@pytest.mark.parametrize("width", [60, 61, 62, 63])
def test_a_png_of_few_colours_has_a_palette_of_exactly_these(
    colours: int, depth: int, width: int, *, alpha: bool
) -> None:
    source = drawing(colours, (width, 300), alpha=alpha)
    data = render(pictures.encode(source, "png"), Recipe()).data
    assert png_depth_and_type(data) == (depth, INDEXED)
    assert pictures.pixels(pictures.decode(data).convert(source.mode)) == pictures.pixels(source)


def test_a_png_of_257_colours_has_no_palette() -> None:
    source = drawing(257, (90, 90))
    data = render(pictures.encode(source, "png"), Recipe()).data
    assert png_depth_and_type(data) == (8, TRUE_COLOUR)
    assert pictures.pixels(pictures.decode(data)) == pictures.pixels(source)


def test_a_grey_png_in_three_channels_becomes_one_channel() -> None:
    grey = pictures.photo(90, 60).convert("L")
    image = pictures.decode(render(pictures.encode(grey.convert("RGB"), "png"), Recipe()).data)
    assert image.mode == "L"
    assert pictures.pixels(image) == pictures.pixels(grey)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_photograph_as_png_is_exact_and_not_much_larger_than_pillows(mode: str) -> None:
    source = pictures.photo(200, 150).convert(mode)
    ours = render(pictures.encode(source, "png"), Recipe()).data
    assert pictures.pixels(pictures.decode(ours).convert(mode)) == pictures.pixels(source)
    assert len(ours) < 1.4 * len(pictures.encode(source, "png"))  # which tries every filter on every row


@pytest.mark.parametrize("source", ["png", "gif"])
def test_a_source_of_256_colours_makes_a_png_of_256_colours_unless_it_must_be_lossless(source: str) -> None:
    data = pictures.encode(pictures.photo(400, 300).quantize(256), source)
    lossy, exact = (
        render(data, Recipe(width=200, format=Format.PNG, lossless=lossless)).data
        for lossless in (False, True)
    )
    assert png_depth_and_type(lossy) == (8, INDEXED)
    assert png_depth_and_type(exact) == (8, TRUE_COLOUR)
    assert len(lossy) < len(exact)
    image = pictures.decode(exact)
    assert ssim(pictures.decode(lossy), image) > ssim(image.quantize(256), image) - 0.01


@pytest.mark.parametrize("quality", [None, 30])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
@pytest.mark.parametrize("format_", LOSSLESS)
def test_lossless_keeps_every_pixel(format_: Format, mode: str, quality: int | None) -> None:
    source = pictures.photo(90, 60)
    source.putalpha(pictures.translucent(90, 60).getchannel("A").point(lambda level: level * 3 // 4 + 20))
    source = source.convert(mode)
    data = render(pictures.encode(source, "png"), Recipe(format=format_, lossless=True, quality=quality)).data
    assert pictures.pixels(pictures.decode(data).convert(mode)) == pictures.pixels(source)


@pytest.mark.parametrize(
    "format_", [entry.format for entry in SPECS if entry.lossless is None and entry.saver]
)
def test_lossless_is_not_asked_of_a_format_that_cannot(format_: Format) -> None:
    with pytest.raises(ValueError, match="can't be lossless"):
        Recipe(format=format_, lossless=True)


@pytest.mark.parametrize("format_", [Format.JPEG, Format.GIF])
def test_lossless_is_passed_over_where_the_source_decides_and_cannot(format_: Format) -> None:
    data = pictures.picture(format_)
    assert render(data, Recipe(width=32, lossless=True)) == render(data, Recipe(width=32))


def test_a_webp_of_few_colours_is_lossless_unless_a_quality_is_asked() -> None:
    source = drawing(40, (120, 90))
    data = pictures.encode(source, "png")
    unasked, asked = (
        render(data, Recipe(format=Format.WEBP, quality=quality)).data for quality in (None, 80)
    )
    assert pictures.pixels(pictures.decode(unasked)) == pictures.pixels(source)
    assert "VP8L" in str(chunks(unasked))
    assert "VP8L" not in str(chunks(asked))
    assert len(unasked) < len(asked)


@pytest.mark.parametrize("format_", LOSSY)
@pytest.mark.parametrize("share", [0.5, 0.8, 1.0])
def test_max_bytes_gives_the_best_quality_that_fits(format_: Format, share: float) -> None:
    source = pictures.png(96, 64)
    lengths = {
        quality: len(render(source, Recipe(format=format_, quality=quality)).data)
        for quality in range(10, 61)
    }
    most = int(lengths[60] * share)
    data = render(source, Recipe(format=format_, quality=60, max_bytes=most)).data
    assert len(data) <= most
    # Where a better quality happens to be smaller again, any that fits while the next doesn't is right.
    fits = {
        length
        for quality, length in lengths.items()
        if length <= most and lengths.get(quality + 1, most + 1) > most
    }
    assert len(data) in fits


@pytest.mark.parametrize("format_", LOSSY)
def test_max_bytes_starts_from_the_formats_default(format_: Format) -> None:
    source = pictures.png(96, 64)
    plenty = render(source, Recipe(format=format_, max_bytes=1_000_000))
    assert plenty == render(
        source, Recipe(format=format_, quality=next(r.quality for r in SPECS if r.format is format_))
    )


@pytest.mark.parametrize("format_", LOSSY)
def test_what_cannot_be_so_small_comes_at_quality_10(format_: Format) -> None:
    source = pictures.png(96, 64)
    assert render(source, Recipe(format=format_, max_bytes=1)) == render(
        source, Recipe(format=format_, quality=10)
    )
    worse = Recipe(format=format_, quality=5)
    assert render(source, Recipe(format=format_, quality=5, max_bytes=1)) == render(source, worse)


@pytest.mark.parametrize(
    "recipe",
    [Recipe(format=Format.PNG), Recipe(format=Format.GIF), Recipe(format=Format.WEBP, lossless=True)],
)
def test_what_has_no_quality_passes_over_max_bytes(recipe: Recipe) -> None:
    fields = {"format": recipe.format, "lossless": recipe.lossless}
    assert render(pictures.png(), Recipe(**fields, max_bytes=1)) == render(pictures.png(), recipe)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("format_", "quality", "tolerance"),
    [(Format.JPEG, 80, 0.002), (Format.WEBP, 75, 0.002), (Format.AVIF, 65, 0.01)],
)
def test_at_equal_bytes_a_rendition_is_as_good_as_pillows(
    format_: Format, quality: int, tolerance: float
) -> None:
    photo = pictures.photo(240, 180)
    ours = render(pictures.encode(photo, "png"), Recipe(format=format_, quality=quality)).data
    theirs = max(
        (pictures.encode(photo, format_, quality=q) for q in range(quality - 15, quality + 10)),
        key=lambda data: (len(data) <= len(ours), len(data) if len(data) <= len(ours) else -len(data)),
    )
    assert len(theirs) > 0.9 * len(ours)
    assert ssim(pictures.decode(ours), photo) > ssim(pictures.decode(theirs), photo) - tolerance
