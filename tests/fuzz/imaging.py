"""Headers and metadata of all formats, recipes in words: nothing but a refusal comes of any bytes."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from mmap import mmap
from typing import Literal

from hypothesis import strategies as st
from msgspec.structs import replace

from tests import bitmaps, bombs, extra_pictures, pictures
from tests.fuzz.target import Target, either, encoded, mutated, mutated_text, random_bytes, repeated, together
from tests.imaging.decoding import seen
from tests.imaging.planted import PLANTED, exif
from tintype.imaging import (
    Format,
    ImageRefused,
    ParamError,
    Reason,
    Recipe,
    inspect,
    parse_colour,
    parse_params,
    verify,
)
from tintype.imaging.formats import HEAD_BYTES, sniff
from tintype.imaging.headers import check_complete, read_header
from tintype.imaging.headers.svg import clean_address, embedded
from tintype.imaging.image_info import DEFAULT_LIMITS
from tintype.imaging.metadata import strip
from tintype.imaging.metadata.css import strip_attribute, strip_sheet
from tintype.imaging.metadata.exif import orientation
from tintype.imaging.metadata.icc import trim
from tintype.imaging.metadata.lzw import used_bytes
from tintype.imaging.pipeline.profiles import is_srgb
from tintype.imaging.recipe.params import READERS
from tintype.imaging.sandbox import messages
from tintype.imaging.sandbox.pool import _is_plausible
from tintype.imaging.sandbox.process import UNREADABLE
from tintype.imaging.unsupported import unsupported

IMAGE = pictures.photo(24, 18)
INDICES = [[(x // 3 + y) % 2 for x in range(12)] for y in range(9)]
COLOURS = [(200, 100, 50), (50, 100, 200)]
SAMPLES: dict[Format, list[bytes]] = {
    Format.JPEG: [
        pictures.encode(IMAGE, "jpeg"),
        pictures.encode(IMAGE, "jpeg", progressive=True),
        pictures.with_gps(24, 18),
        bombs.jpeg_profile(300),
    ],
    Format.PNG: [
        pictures.encode(IMAGE, "png"),
        pictures.apng(3, 8, 8),
        bombs.png_texts(b"zTXt", 2, 50),
        bombs.png_texts(b"iTXt", 2, 50),
        bombs.png_texts(b"iCCP", 1, 50),
    ],
    Format.WEBP: [
        pictures.encode(IMAGE, "webp"),
        pictures.webp(24, 18, alpha=True),
        pictures.webp(24, 18, lossless=True),
        pictures.webp(8, 8, frames=3),
        pictures.with_gps(24, 18, "webp"),
    ],
    Format.GIF: [pictures.gif(8, 8), pictures.gif(8, 8, frames=3), pictures.tiny_gif(5)],
    Format.AVIF: [pictures.avif(24, 18), pictures.avif(24, 18, alpha=True)],
    Format.TIFF: [
        pictures.encode(IMAGE, "tiff"),
        pictures.encode(IMAGE, "tiff", compression="tiff_lzw"),
        bombs.tiff_pages(3),
        bombs.tiff_pages(3, big=True, order=">"),
        pictures.with_gps(24, 18, "tiff"),
    ],
    Format.BMP: [
        pictures.encode(IMAGE, "bmp"),
        pictures.encode(IMAGE.convert("RGBA"), "bmp"),
        pictures.encode(IMAGE.convert("P"), "bmp"),
        bitmaps.bmp(INDICES, 8, compression=bitmaps.RLE8, palette=COLOURS, coded=bitmaps.rle8(INDICES)),
        bitmaps.bmp(INDICES, 4, compression=bitmaps.RLE4, palette=COLOURS, coded=bitmaps.rle4(INDICES)),
        bitmaps.bmp(INDICES, 24, header=bitmaps.V5, profile=pictures.red_green_swapped_profile()),
    ],
    Format.ICO: [
        pictures.encode(IMAGE, "ico"),
        bitmaps.icon((12, 9, 4, bitmaps.icon_bitmap(INDICES, 4, INDICES, COLOURS))),
    ],
    Format.HEIC: [extra_pictures.heic(IMAGE)],
    Format.JXL: [extra_pictures.jxl(IMAGE), extra_pictures.jxl(IMAGE, use_container=True)],
    Format.SVG: [extra_pictures.corners_svg(), bombs.svg_depth(5), bombs.svg_embedding(8)],
}

MAX_DECODED = 1_000_000
"""Pixels of a file that is decoded to compare it."""
MAX_STRIPPED = 20_000_000
"""Pixels of a file that is stripped: run lengths take a byte for each, which a renderer has a limit on."""
COMPARED_BY_HAND = frozenset((Format.BMP, Format.ICO))
"""One in some 1,000 of these, when damaged, is still read otherwise by Pillow after stripping: not in CI."""
ONE_PICTURE = frozenset((Format.JPEG, Format.AVIF, Format.HEIC))


@contextmanager
def refusals() -> Iterator[None]:
    """A refusal may come out, which says why."""
    try:
        yield
    except ImageRefused as refused:
        assert str(refused)  # noqa: PT017  a refusal or a result, both are right


def header_of(format_: Format) -> Callable[[bytes], None]:
    """A header has two sides and a frame, or is refused; the same in memory and in a file."""

    def check(data: bytes) -> None:
        with mmap(-1, len(data) + 1) as file:
            file[:-1] = data
            with refusals():
                check_complete(file, format_)
            with refusals():
                read_header(file, format_)
        with refusals():
            look(data)

    def look(data: bytes) -> None:
        header = read_header(data, format_)
        assert min(header.width, header.height, header.frames, header.bands) >= 1
        assert min(header.whole_pixels, header.buffer_bytes) >= 0
        assert 0 <= header.file_bytes <= len(data)

    return check


def stripped(format_: Format) -> Callable[[bytes], None]:
    """What is left without metadata is the same picture, for another decoder too, and no larger a file."""
    compares_pixels = format_ not in COMPARED_BY_HAND or not os.environ.get("CI")

    def check(data: bytes) -> None:
        try:
            before = read_header(data, format_)
            if before.width * before.height > MAX_STRIPPED:
                return
            left = strip(data, format_)
        except ImageRefused:
            return
        after = read_header(left, format_)
        assert (after.width, after.height, after.frames) == (before.width, before.height, before.frames)
        assert len(left) <= 2 * len(data) + 1000
        if compares_pixels and before.width * before.height * before.frames <= MAX_DECODED:
            _check_pixels(data, left, format_)

    return check


def _check_pixels(data: bytes, left: bytes, format_: Format) -> None:
    try:
        before = seen(data, format_).frames
    except Exception:  # noqa: BLE001  every decoder has its own errors for a damaged file
        return
    # Of an AVIF or HEIC the primary image is kept, of a JPEG the first.
    after = seen(left, format_).frames
    assert after == before[: len(after)] if format_ in ONE_PICTURE else after == before


def sniffed(data: bytes) -> None:
    sniff(data[:HEAD_BYTES])
    assert str(unsupported(data[:HEAD_BYTES]))


def turned(data: bytes) -> None:
    assert orientation(data) in range(1, 9)


def profiled(data: bytes) -> None:
    assert data.startswith(trim(data))
    is_srgb(data)


def compressed(given: tuple[bytes, int, Literal["little", "big"]]) -> None:
    """The end of LZW is within the data."""
    data, code_size, order = given
    with refusals():
        assert 0 <= used_bytes(data, code_size, order) <= len(data)


def styled(text: str) -> None:
    """A style sheet doesn't grow."""
    assert len(strip_sheet(text, str)) <= len(text)
    strip_attribute(text, str)


def addressed(text: str) -> None:
    """What is in a `data:` URL, or that it isn't one, or is invalid."""
    with suppress(ValueError):
        assert len(embedded(clean_address(text)) or b"") <= len(text.encode())


def answered(data: bytes) -> None:
    """What a renderer says, in which hostile bytes run, is plausible or not, or unreadable."""
    try:
        reply = messages.decode_reply(data)
    except UNREADABLE:
        return
    if isinstance(reply.answer, messages.Examined):
        assert _is_plausible(reply.answer, DEFAULT_LIMITS) in {True, False}


def recipe_in_words(words: dict[str, str]) -> None:
    """A recipe, written in words, is read as itself."""
    try:
        recipe = parse_params(words)
    except (ParamError, ValueError) as wrong:
        assert str(wrong)  # noqa: PT017  a refusal or a recipe, both are right
        return
    if recipe.params():
        assert parse_params(recipe.params()).fingerprint() == recipe.fingerprint()
    else:
        assert recipe.fingerprint() == Recipe().fingerprint()


def colour(text: str) -> None:
    try:
        parse_colour(text)
    except ValueError:
        return
    assert set(text.lower()) <= set("#0123456789abcdef")


WORDS = st.dictionaries(
    st.sampled_from(list(READERS)) | st.text(max_size=8),
    st.sampled_from(["yes", "no", "auto", "fit", "attention", "400", "0.5x0.5", "ff8800", "webp", "2", "1.5"])
    | st.integers(-1, 10**10).map(str)
    | st.text(max_size=12),
    max_size=6,
)
PIECES = ("<!--", "<?", "<!DOCTYPE", "<!DOCTYPE[", " ", "<!-- -->", "]>", "\xef\xbb\xbf", "\0")
HEADS = either(
    mutated(
        b"<?xml?><!-- --><!DOCTYPE svg [<!ENTITY a 'b'>]><svg ", *(data[0][:200] for data in SAMPLES.values())
    ),
    encoded(repeated(*PIECES, most=HEAD_BYTES)),
    random_bytes(200),
)

LZW = (b"\x80\x00\x20\x40\x30\x20\x10" * 9, b"\x04\x41\x10" * 30, bytes(range(256)))
ORDERS = ("little", "big")
SHEETS = (
    "#a.x{content:'/* no */';fill:url(data:image/png;base64,AAAA)}/* yes */.y{}",
    "fill:red;-x:'\\';stroke:url(\"#a\")",
)
CSS = ("/*", "*/", "url(", '"', "'", "\\", "data:", ";", ":")
ADDRESSES = ("data:image/png;base64,iVBORw0KGgo=", "DATA:,a%20b#c", " #a", "data:text/plain; BASE64 ,QUI")
SMALL_PNG = SAMPLES[Format.PNG][0]
INFO = inspect(SMALL_PNG)
ANSWERS = tuple(
    messages.encode(messages.Reply(answer, 2**40))[messages.LENGTH.size :]
    for answer in (
        messages.Examined(Format.PNG, replace(INFO, placeholder=verify(SMALL_PNG, INFO))),
        messages.Rendered(Format.PNG, 10, 20, 300),
        messages.Refusal(Reason.DAMAGED, "It is damaged."),
        messages.Needs(None),
    )
)

TARGETS = (
    *(
        Target(f"header of {format_}", either(mutated(*samples), random_bytes(100)), header_of(format_))
        for format_, samples in SAMPLES.items()
    ),
    *(
        Target(
            f"metadata of {format_}",
            either(mutated(*samples, *(data for _, data in PLANTED[format_]())), random_bytes(100)),
            stripped(format_),
            seconds=5.0,
        )
        for format_, samples in SAMPLES.items()
    ),
    Target("first bytes", HEADS, sniffed),
    Target("profile", mutated(pictures.red_green_swapped_profile()), profiled),
    Target("EXIF", mutated(exif().removeprefix(b"Exif\0\0")), turned),
    Target(
        "LZW",
        together(mutated(*LZW), lambda dice: dice.randint(0, 12), lambda dice: dice.choice(ORDERS)),
        compressed,
    ),
    Target("style sheets", either(mutated_text(*SHEETS), repeated(*CSS, most=30_000)), styled),
    Target("addresses with data", mutated_text(*ADDRESSES), addressed),
    Target("answers of a renderer", mutated(*ANSWERS), answered),
    Target("recipe in words", WORDS, recipe_in_words),
    Target("colour", mutated_text("f80", "ff8800", "#FF880080"), colour),
)
