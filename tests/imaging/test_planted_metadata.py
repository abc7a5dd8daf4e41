"""A marker in every place of a file that isn't its pixels: none is left, and the picture is the same."""

import contextlib
import io
import struct
import time
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from itertools import pairwise

import pillow_heif
import pytest
import pyvips
from msgspec.structs import replace
from PIL import Image

from tests import bombs, extra_pictures, pictures
from tests.imaging.decoding import seen
from tests.imaging.planted import MARKER, PLANTED, SIDES, TEXT, picture, tiff_number, tiff_with
from tintype.imaging import Format, ImageRefused
from tintype.imaging.headers.boxes import boxes
from tintype.imaging.metadata import isobmff, strip
from tintype.imaging.metadata.heif_items import Image as HeifImage
from tintype.imaging.metadata.heif_items import Item, Reference, read
from tintype.imaging.metadata.lzw import used_bytes

SPELLINGS = (MARKER, TEXT.encode("utf-16-le"), TEXT.encode("utf-16-be"), b"xmpmeta", b"GPSArea")
UNREADABLE = (
    "jpeg: segment f3",
    "jpeg: segment df",
    "jpeg: between segments",
    "jpeg: after a marker that is none",
    "webp: second picture",
    "webp: EXIF in frames",
    "webp: long canvas",
    "jxl: Exif",
    "jxl: jbrd",
    "svg: namespace",
)
"""What other decoders refuse, as they read what is planted; it is stripped all the same."""
REFUSED = ("png: transparency", "png: tRNS", "png: fcTL", "png: fdAT")
"""What decoders read in different ways."""
NOT_LIBVIPS = (*UNREADABLE, *REFUSED, "avif: OBU 15", "bmp", "ico", "heic", "jxl", "svg")
CHANGED_PROFILE = "behind the profile"


def planted() -> Iterator[tuple[str, Format, bytes]]:
    for format, make in PLANTED.items():
        for place, data in make():
            yield f"{format}: {place}", format, data


CASES = [pytest.param(*case, id=case[0]) for case in planted() if not case[0].startswith(REFUSED)]


@pytest.mark.parametrize(("place", "format", "data"), CASES)
def test_the_picture_is_left_and_nothing_else(place: str, format: Format, data: bytes) -> None:
    stripped = strip(data, format)
    for text in (stripped, *inflated(stripped)):
        assert not any(spelling in text for spelling in SPELLINGS)
    assert strip(stripped, format) == stripped
    if place.startswith(UNREADABLE):
        seen(stripped, format)
        return
    before, after = seen(data, format), seen(stripped, format)
    count = len(after.frames) if format in {Format.JPEG, Format.HEIC} else len(before.frames)
    assert after.frames == before.frames[:count]
    assert after.orientation == before.orientation
    assert after.loop == before.loop
    if CHANGED_PROFILE in place:
        assert after.profile == (before.profile or b"").removesuffix(MARKER)
    elif "no profile" not in place:
        assert after.profile == before.profile


def inflated(data: bytes) -> Iterator[bytes]:
    """Whatever in the bytes is compressed by deflate."""
    for at in (at for head in (b"\x78\x9c", b"\x78\x01", b"\x78\xda") for at in places(data, head)):
        try:
            yield zlib.decompressobj().decompress(data[at:], 1_000_000)
        except zlib.error:
            continue


def places(data: bytes, wanted: bytes) -> Iterator[int]:
    at = data.find(wanted)
    while at >= 0:
        yield at
        at = data.find(wanted, at + 1)


@pytest.mark.parametrize(
    ("format", "data"),
    [pytest.param(*case, id=place) for place, *case in planted() if not place.startswith(NOT_LIBVIPS)],
)
def test_libvips_sees_the_same(format: Format, data: bytes) -> None:
    assert by_libvips(strip(data, format)) == by_libvips(data)


def by_libvips(data: bytes) -> tuple[int, int, bytes, object]:
    image = pyvips.Image.new_from_buffer(data, "")
    orientation = image.get("orientation") if image.get_typeof("orientation") else 1
    return image.width, image.height, bytes(image.write_to_memory()), orientation


@pytest.mark.parametrize("place", REFUSED)
def test_what_decoders_read_in_different_ways_is_refused(place: str) -> None:
    refused = [(format, data) for name, format, data in planted() if name.startswith(place)]
    assert refused
    for format, data in refused:
        with pytest.raises(ImageRefused):
            strip(data, format)


def noise() -> pyvips.Image:
    one = pyvips.Image.gaussnoise(70, 50, seed=7).cast("uchar")
    return one.bandjoin([one.rot180(), one.invert()]).copy(interpretation="srgb")


KINDS: dict[str, Callable[[], tuple[Format, bytes]]] = {
    "JPEG, grey": lambda: (Format.JPEG, pictures.encode(picture().convert("L"), "jpeg")),
    "JPEG, CMYK": lambda: (Format.JPEG, pictures.encode(picture().convert("CMYK"), "jpeg")),
    "JPEG, RGB": lambda: (Format.JPEG, pictures.encode(picture(), "jpeg", keep_rgb=True)),
    "JPEG, restarts": lambda: (Format.JPEG, pictures.encode(picture(), "jpeg", restart_marker_blocks=2)),
    "JPEG, no end": lambda: (Format.JPEG, pictures.jpeg()[:-2]),
    "PNG, interlaced": lambda: (Format.PNG, noise().pngsave_buffer(interlace=True)),
    "PNG, 16 bits": lambda: (Format.PNG, pictures.png_16_bit(9, 7, (1, 2, 3))),
    "PNG, 1 bit": lambda: (Format.PNG, pictures.encode(picture().convert("1"), "png")),
    "PNG, palette": lambda: (Format.PNG, pictures.encode(picture().quantize(9), "png", transparency=3)),
    "PNG, transparent": lambda: (Format.PNG, pictures.encode(picture(), "png", transparency=(1, 2, 3))),
    "PNG, moving": lambda: (Format.PNG, pictures.apng(4, *SIDES)),
    "WebP, alpha": lambda: (Format.WEBP, pictures.webp(*SIDES, alpha=True)),
    "WebP, lossless alpha": lambda: (Format.WEBP, pictures.webp(*SIDES, alpha=True, lossless=True)),
    "WebP, moving": lambda: (Format.WEBP, pictures.webp(*SIDES, frames=4)),
    "GIF, moving": lambda: (Format.GIF, pictures.gif(*SIDES, frames=4)),
    "TIFF, tiles": lambda: (Format.TIFF, noise().tiffsave_buffer(tile=True, tile_width=32, tile_height=16)),
    "TIFF, BigTIFF": lambda: (Format.TIFF, noise().tiffsave_buffer(bigtiff=True)),
    "TIFF, tiles of JPEG": lambda: (Format.TIFF, noise().tiffsave_buffer(tile=True, compression="jpeg")),
    "TIFF, WebP": lambda: (Format.TIFF, noise().tiffsave_buffer(compression="webp", lossless=True)),
    "TIFF, group 4": lambda: (
        Format.TIFF,
        pictures.encode(picture().convert("1"), "tiff", compression="group4"),
    ),
    "TIFF, predictor": lambda: (
        Format.TIFF,
        noise().tiffsave_buffer(compression="lzw", predictor="horizontal", tile=True),
    ),
    "TIFF, float": lambda: (Format.TIFF, (noise() / 3).tiffsave_buffer(compression="deflate")),
    "TIFF, 16 bits": lambda: (Format.TIFF, (noise() * 200).cast("ushort").tiffsave_buffer()),
    "TIFF, 1 bit": lambda: (Format.TIFF, pictures.encode(picture().convert("1"), "tiff")),
    "TIFF, palette": lambda: (Format.TIFF, pictures.encode(picture().quantize(9), "tiff")),
    "TIFF, CMYK": lambda: (Format.TIFF, pictures.encode(picture().convert("CMYK"), "tiff")),
    "TIFF, alpha": lambda: (Format.TIFF, pictures.tiff(*SIDES, alpha=True)),
    "TIFF, big-endian": lambda: (Format.TIFF, bombs.tiff_pages(3, order=">")),
    "BigTIFF, big-endian": lambda: (Format.TIFF, bombs.tiff_pages(3, big=True, order=">")),
    "AVIF, turned": lambda: (Format.AVIF, pictures.encode(picture(), "avif", exif=b"", irot=1)),
    "HEIC, grey": lambda: (Format.HEIC, extra_pictures.heic(picture().convert("L"))),
    "JXL, container": lambda: (Format.JXL, extra_pictures.jxl(picture(), use_container=True)),
    "JXL, turned": lambda: (Format.JXL, extra_pictures.jxl(picture())),
    "SVG, embedding": lambda: (Format.SVG, extra_pictures.embedding(picture())),
}


NOT_PILLOW = {"TIFF, float", "TIFF, WebP", "BigTIFF, big-endian"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_picture_stays_itself(kind: str) -> None:
    format, data = KINDS[kind]()
    stripped = strip(data, format)
    if format not in {Format.HEIC, Format.JXL, Format.SVG}:
        assert by_libvips(stripped) == by_libvips(data)
    if kind not in NOT_PILLOW:
        assert seen(stripped, format) == seen(data, format)


@pytest.mark.parametrize("format", [Format.AVIF, Format.HEIC])
def test_a_grid_keeps_its_tiles(format: Format) -> None:
    tile = pictures.photo(64, 64)
    data = pictures.avif(64, 64) if format is Format.AVIF else extra_pictures.heic(tile)
    whole = grid_of_two(strip(data, format))
    (frame,) = seen(whole, format).frames
    assert frame[0] == (128, 64)
    stripped = strip(whole + struct.pack(">I", 8 + len(MARKER)) + b"free" + MARKER, format)
    assert seen(stripped, format).frames == [frame]
    assert MARKER not in stripped


def grid_of_two(data: bytes) -> bytes:
    """An AVIF or HEIC of 64 by 64 pixels twice, side by side."""
    meta = next(box for box in boxes(data, 0, len(data)) if box.kind == b"meta")
    tile = read(data, meta).items[1]
    size = (b"ispe", bytes(4) + struct.pack(">II", 128, 64))
    channels = [each for each in tile.properties if each[0][0] == b"pixi"]
    declared = struct.pack(">4BHH", 0, 0, 0, 1, 128, 64)
    whole = Item(kind=b"grid", is_hidden=False, properties=[(size, False), *channels], data=declared)
    items = {1: replace(tile, is_hidden=True), 2: replace(tile, is_hidden=True), 3: whole}
    return isobmff.write(
        data[: meta.start - 8],
        HeifImage(3, items, [Reference(b"dimg", 3, [1, 2])]),
        {number: item.data for number, item in items.items()},
    )


HEIFS = pytest.mark.parametrize("format", [Format.AVIF, Format.HEIC])


def heif(format: Format) -> bytes:
    """A picture with alpha, which is a second item."""
    image = pictures.translucent(*SIDES)
    return strip(
        pictures.encode(image, "avif") if format is Format.AVIF else extra_pictures.heic(image), format
    )


@HEIFS
@pytest.mark.parametrize("box", [b"infe", b"ipma"])
def test_an_item_that_is_described_twice_is_refused(format: Format, box: bytes) -> None:
    """Decoders differ in which description they take."""
    data = bytearray(heif(format))
    first = data.index(box) + 4 + (4 if box == b"infe" else 8)
    second = data.rindex(box) + 8 if box == b"infe" else first + 3 + 2 * data[first + 2]
    assert bytes(data[first : first + 2] + data[second : second + 2]) == b"\0\1\0\2"
    data[second + 1] = 1
    with pytest.raises(ImageRefused):
        strip(bytes(data), format)


def test_a_heic_of_several_pictures_is_the_primary_one() -> None:
    file = pillow_heif.from_pillow(pictures.photo(*SIDES))
    file.add_from_pillow(pictures.photo(24, 18))
    for primary, size in enumerate((SIDES, (24, 18))):
        buffer = io.BytesIO()
        file.save(buffer, primary_index=primary)
        (kept,) = seen(strip(buffer.getvalue(), Format.HEIC), Format.HEIC).frames
        assert kept == seen(buffer.getvalue(), Format.HEIC).frames[0]
        assert kept[0] == size


@HEIFS
@pytest.mark.parametrize("change", ["alpha", "hidden", "thumbnail"])
def test_a_primary_item_that_is_no_picture_of_its_own_is_refused(format: Format, change: str) -> None:
    data = bytearray(heif(format))
    if change == "alpha":
        data[data.index(b"pitm") + 9] = 2
    elif change == "hidden":
        data[data.index(b"infe") + 7] = 1
    else:
        data = bytearray(bytes(data).replace(b"auxl\0\2\0\1\0\1", b"thmb\0\1\0\1\0\2"))
    assert data != heif(format)
    with pytest.raises(ImageRefused):
        strip(bytes(data), format)


@HEIFS
@pytest.mark.parametrize("kind", [b"ispe", b"pixi", b"av1C", b"hvcC"])
def test_an_item_with_two_sizes_or_decoders_is_refused(format: Format, kind: bytes) -> None:
    data = heif(format)
    meta = next(box for box in boxes(data, 0, len(data)) if box.kind == b"meta")
    item = read(data, meta).items[1]
    again = [each for each in item.properties if each[0][0] == kind]
    twice = replace(item, properties=[*item.properties, *again])
    whole = isobmff.write(data[: meta.start - 8], HeifImage(1, {1: twice}, []), {1: item.data})
    if again:
        with pytest.raises(ImageRefused):
            strip(whole, format)
    else:
        assert seen(strip(whole, format), format) == seen(whole, format)


def test_a_second_tiff_page_is_a_page() -> None:
    buffer = io.BytesIO()
    pages = [picture(), picture().rotate(180)]
    pages[0].save(buffer, "TIFF", save_all=True, append_images=pages[1:], description=TEXT)
    stripped = Image.open(io.BytesIO(strip(buffer.getvalue(), Format.TIFF)))
    for number, page in enumerate(pages):
        stripped.seek(number)
        assert stripped.tobytes() == page.tobytes()


@pytest.mark.parametrize("kind", [2, 6, 8, 9, 11])
def test_a_tiff_with_a_compression_of_another_type_is_refused(kind: int) -> None:
    data = pictures.encode(picture(), "tiff", compression="tiff_lzw")
    with pytest.raises(ImageRefused):
        strip(tiff_with(data, (259, kind, 1, struct.pack("<I", 5))), Format.TIFF)


@pytest.mark.parametrize("entries", [(324,), (322,), (323,), (322, 323), (322, 323, 324)])
def test_a_tiff_of_strips_and_tiles_is_refused(entries: tuple[int, ...]) -> None:
    data = pictures.encode(picture(), "tiff")
    start = tiff_number(data, 273)
    values = {322: 48, 323: 32, 324: start}
    more = [(tag, 4, 1, struct.pack("<I", values[tag])) for tag in entries]
    with pytest.raises(ImageRefused):
        strip(tiff_with(data, *more), Format.TIFF)


def test_a_tiff_whose_samples_have_different_bits_is_refused() -> None:
    data = pictures.encode(picture(), "tiff")
    with pytest.raises(ImageRefused):
        strip(tiff_with(data, (258, 3, 3, struct.pack("<HHH", 8, 16, 8))), Format.TIFF)


def test_a_tiff_with_more_strips_than_it_has_rows_for_is_refused() -> None:
    """Decoders differ in whether they draw the first or the last."""
    data = pictures.encode(picture(), "tiff")
    start = struct.pack("<I", tiff_number(data, 273))
    with pytest.raises(ImageRefused):
        strip(tiff_with(data, (273, 4, 2, 2 * start)), Format.TIFF)


@pytest.mark.parametrize("tag", [270, 330, 700, 33723, 34377, 34665, 34675, 34853, 37500])
def test_metadata_on_the_pixels_of_a_tiff_leaves_the_pixels(tag: int) -> None:
    data = pictures.encode(picture(), "tiff")
    on_pixels = tiff_with(data, (tag, 7, 100, tiff_number(data, 273)))
    assert by_libvips(strip(on_pixels, Format.TIFF))[2] == picture().tobytes()


@pytest.mark.parametrize("end", [b"\0", b"x", MARKER])
def test_what_follows_a_codestream_of_jpeg_xl_is_refused(end: bytes) -> None:
    codestream = extra_pictures.jxl(picture())
    head = b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0\0\0\x14ftypjxl \0\0\0\0jxl "
    box = struct.pack(">I", 8 + len(codestream + end)) + b"jxlc" + codestream + end
    for data in (codestream + end, head + box):
        with pytest.raises(ImageRefused):
            strip(data, Format.JXL)


@pytest.mark.parametrize(
    "inside",
    [
        "<foreignObject><p xmlns='http://www.w3.org/1999/xhtml'>a</p></foreignObject>",
        "<image href='data:image/svg+xml,%3Csvg/%3E'/>",
        "<image href='data:image/bmp,BM'/>",
        "<image href='data:image/png;base64,iVBORw0KGgo'/>",
    ],
)
def test_what_only_browsers_draw_in_an_svg_is_refused(inside: str) -> None:
    with pytest.raises(ImageRefused):
        strip(extra_pictures.svg(inside), Format.SVG)


PIXEL = b64encode(pictures.png(8, 8)).decode()


@pytest.mark.parametrize(
    "body",
    [PIXEL[:6] + ">" + PIXEL[6:], PIXEL + "A", PIXEL + "=", PIXEL + "#a", PIXEL[:-4] + "=" + PIXEL[-4:]],
)
def test_what_an_svg_embeds_in_invalid_base64_is_refused(body: str) -> None:
    """Renderers don't draw it, and would draw it if it was written anew."""
    with pytest.raises(ImageRefused):
        strip(extra_pictures.svg(f"<image href='data:image/png;base64,{body}'/>"), Format.SVG)


@pytest.mark.parametrize("body", [PIXEL.rstrip("="), "\n ".join(PIXEL), PIXEL + "%20"])
def test_what_an_svg_embeds_in_valid_base64_is_kept(body: str) -> None:
    data = extra_pictures.svg(f"<image width='8' height='8' href='data:image/png;base64,{body}'/>")
    stripped = strip(data, Format.SVG)
    assert seen(stripped, Format.SVG) == seen(data, Format.SVG)
    assert seen(stripped, Format.SVG) != seen(extra_pictures.svg(""), Format.SVG)


@pytest.mark.parametrize(
    ("kind", "data"),
    [("png", pictures.png(8, 8)[:-9]), ("png", pictures.png(8, 8)[:-12]), ("jpeg", pictures.jpeg()[:-2])],
)
def test_what_an_svg_embeds_without_its_end_is_refused(kind: str, data: bytes) -> None:
    """Renderers may not draw it, and would if the end was written."""
    image = f"<image width='8' height='8' href='data:image/{kind};base64,{b64encode(data).decode()}'/>"
    with pytest.raises(ImageRefused):
        strip(extra_pictures.svg(image), Format.SVG)


def test_an_svg_keeps_what_is_referred_to() -> None:
    inside = (
        '<linearGradient id="a.b"/><path id="c" d="M0 0"/><g id="unused"/><rect id="e" fill="url(#a.b)"/>'
        '<use href="#c"/><text>é &amp; &lt;<tspan> x </tspan></text>'
        '<set begin="e.click" to="1"/>'
    )
    stripped = strip(extra_pictures.svg(inside), Format.SVG).decode()
    assert 'id="a.b"' in stripped
    assert 'id="c"' in stripped
    assert 'id="e"' in stripped
    assert "unused" not in stripped
    assert "<text>é &amp; &lt;<tspan> x </tspan></text>" in stripped


def test_a_style_sheet_keeps_what_looks_like_a_comment() -> None:
    sheet = "#a.x{content:'/* no */';fill:url(data:/*b*/)}/* secret */.y{}"
    stripped = strip(extra_pictures.svg(f"<style>{sheet}</style><g id='a' class='x'/>"), Format.SVG).decode()
    assert "/* no */" in stripped
    assert "/*b*/" in stripped
    assert "secret" not in stripped
    assert '<g id="a" class="x"/>' in stripped


def test_an_svg_of_short_elements_is_none_that_grows() -> None:
    stripped = strip(extra_pictures.svg("<g/>" * 50_000), Format.SVG)
    assert stripped.count(b"<g/>") == 50_000


def test_expanding_entities_are_refused() -> None:
    levels = "".join(f"<!ENTITY {name} '{f'&{of};' * 20}'>" for of, name in pairwise("abcde"))
    text = f"<!DOCTYPE svg [<!ENTITY a '{'x' * 20}'>{levels}]>"
    with pytest.raises(ImageRefused):
        strip(text.encode() + extra_pictures.svg("<text>&e;</text>"), Format.SVG)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 3}], ids=str)
def test_the_last_scan_of_a_jpeg_ends_where_its_pixels_do(mode: str, options: dict[str, int]) -> None:
    for side in (7, 100):
        data = pictures.encode(pictures.photo(side, side).convert(mode), "jpeg", **options)
        for surplus in (b"", b"\0", b"x", MARKER[:5], MARKER, b"\xff\xd3" + MARKER, b"\xff\xff"):
            assert strip(data[:-2] + surplus + data[-2:], Format.JPEG) == data


def png_of(*chunks: tuple[bytes, bytes]) -> bytes:
    return pictures.PNG_SIGNATURE + b"".join(pictures.png_chunk(*chunk) for chunk in chunks)


HEAD, PIXELS, END = (
    (b"IHDR", struct.pack(">II5B", 8, 8, 8, 3, 0, 0, 0)),
    (b"IDAT", zlib.compress(bytes(9 * 8))),
    (b"IEND", b""),
)
PALETTE, ALPHA, MOVES = (b"PLTE", b"abcdef"), (b"tRNS", b"\0"), (b"acTL", struct.pack(">II", 2, 0))
FIRST = (b"fcTL", struct.pack(">IIIIIHHBB", 0, 8, 8, 0, 0, 1, 10, 0, 0))
SECOND = (b"fcTL", struct.pack(">IIIIIHHBB", 1, 8, 8, 0, 0, 1, 10, 0, 0))
FRAME = (b"fdAT", struct.pack(">I", 2) + PIXELS[1])
AMBIGUOUS = {
    "two headers": (HEAD, HEAD, PALETTE, PIXELS),
    "two palettes": (HEAD, PALETTE, PALETTE, PIXELS),
    "transparency twice": (HEAD, PALETTE, ALPHA, ALPHA, PIXELS),
    "transparency behind the pixels": (HEAD, PALETTE, PIXELS, ALPHA),
    "acTL twice": (HEAD, PALETTE, MOVES, MOVES, FIRST, PIXELS, SECOND, FRAME),
    "acTL of another length": (HEAD, PALETTE, (b"acTL", MOVES[1] + b"\0"), FIRST, PIXELS, SECOND, FRAME),
    "frames without acTL": (HEAD, PALETTE, FIRST, PIXELS, SECOND, FRAME),
    "pixels of no frame": (HEAD, PALETTE, MOVES, FIRST, PIXELS, SECOND, PIXELS, FRAME),
    "a frame without pixels": (HEAD, PALETTE, MOVES, FIRST, PIXELS, SECOND),
    "no pixels": (HEAD, PALETTE),
    "pixels in two places": (HEAD, PALETTE, (b"IDAT", PIXELS[1][:4]), ALPHA, (b"IDAT", PIXELS[1][4:])),
}


@pytest.mark.parametrize("what", AMBIGUOUS)
def test_a_png_that_decoders_read_in_different_ways_is_refused(what: str) -> None:
    with pytest.raises(ImageRefused):
        strip(png_of(*AMBIGUOUS[what], END), Format.PNG)


def test_a_png_that_decoders_read_in_one_way_is_not() -> None:
    data = png_of(HEAD, PALETTE, ALPHA, MOVES, FIRST, PIXELS, SECOND, FRAME, END)
    assert strip(data, Format.PNG) == data


def test_a_jpeg_that_lacks_pixels_is_refused() -> None:
    data = pictures.jpeg()
    with pytest.raises(ImageRefused):
        strip(data[:-20] + data[-2:], Format.JPEG)


@pytest.mark.parametrize("colours", [2, 4, 16, 256])
def test_the_end_of_compressed_pixels_is_found_in_a_gif(colours: int) -> None:
    """Of all sizes: with and without clear codes, of all widths."""
    for side in (1, 3, 30, 300):
        noisy = Image.frombytes("P", (side, side), bytes(n * n % 251 % colours for n in range(side * side)))
        noisy.putpalette([level // 3 for level in range(3 * colours)])
        data = pictures.encode(noisy, "gif")
        start = data.index(b"\x2c\0\0\0\0") + 10
        size, pieces, at = data[start], bytearray(), start + 1
        while data[at]:
            pieces += data[at + 1 : at + 1 + data[at]]
            at += 1 + data[at]
        assert used_bytes(bytes(pieces), size, "little") == len(pieces)
        assert used_bytes(bytes(pieces) + MARKER, size, "little") == len(pieces)


@pytest.mark.parametrize("side", [1, 3, 30, 300])
def test_the_end_of_compressed_pixels_is_found_in_a_tiff(side: int) -> None:
    noisy = Image.frombytes("L", (side, side), bytes(n * n % 251 for n in range(side * side)))
    data = pictures.encode(noisy, "tiff", compression="tiff_lzw")
    at, length = tiff_number(data, 273), tiff_number(data, 279)
    strip_ = data[at : at + length]
    assert used_bytes(strip_ + MARKER, 8, "big") == length


def jpeg_with(more: bytes, at: int) -> tuple[Format, bytes]:
    data = pictures.jpeg()
    return Format.JPEG, data[:at] + more + data[at:]


def gif_with(more: bytes) -> tuple[Format, bytes]:
    """A GIF whose compressed pixels begin with these, in sub-blocks of one byte."""
    data = pictures.tiny_gif(1)
    start = data.index(b"\x2c\0\0\0\0") + 11
    return Format.GIF, data[:start] + b"".join(b"\1" + more[at : at + 1] for at in range(len(more))) + data[
        start:
    ]


LARGE: dict[str, Callable[[], tuple[Format, bytes]]] = {
    "fill bytes in a JPEG": lambda: jpeg_with(b"\xff" * 2_000_000, 2),
    "fill bytes in its scan": lambda: jpeg_with((b"\xff" * 20_000 + b"\0") * 100, -2),
    "sub-blocks of a GIF": lambda: gif_with(b"a" * 1_000_000),
    "clear codes of a GIF": lambda: gif_with(b"\4\x41\x10" * 30_000),
    "empty chunks of a PNG": lambda: (Format.PNG, bombs.png_with(*([(b"IDAT", b"")] * 100_000))),
    "quotation marks of CSS": lambda: (
        Format.SVG,
        extra_pictures.svg(f"<g style='{chr(34)}{'a&#92;' * 200_000}'/>"),
    ),
    "addresses of CSS": lambda: (Format.SVG, extra_pictures.svg(f"<style>{'url(' * 300_000}</style>")),
    "comments of CSS": lambda: (Format.SVG, extra_pictures.svg(f"<style>{'/*' * 500_000}</style>")),
    "identifiers of an SVG": lambda: (
        Format.SVG,
        extra_pictures.svg("<g id='a' begin='a.b;' clip-path='url(#a)'/>" * 30_000),
    ),
}


@pytest.mark.parametrize("what", LARGE)
def test_nothing_in_a_file_is_looked_at_again_and_again(what: str) -> None:
    format, data = LARGE[what]()
    began = time.process_time()
    with contextlib.suppress(ImageRefused):
        strip(data, format)
    assert time.process_time() - began < 5
