"""Our header parsers agree with other decoders, and stop early at their limits."""

import contextlib
import io
import struct
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from mmap import mmap
from pathlib import Path

import pytest
from PIL import Image

from tests import bombs, extra_pictures, pictures
from tintype.imaging import Format, ImageRefused, Limits, Reason, inspect, verify
from tintype.imaging.headers import Header, check_complete, read_header
from tintype.imaging.source import mapped

MAKERS: dict[str, tuple[Format, Callable[[Image.Image], bytes]]] = {
    "jpeg": (Format.JPEG, lambda image: pictures.encode(image, "jpeg")),
    "jpeg grey": (Format.JPEG, lambda image: pictures.encode(image.convert("L"), "jpeg")),
    "jpeg cmyk": (Format.JPEG, lambda image: pictures.encode(image.convert("CMYK"), "jpeg")),
    "jpeg progressive": (Format.JPEG, lambda image: pictures.encode(image, "jpeg", progressive=True)),
    "jpeg restarts": (Format.JPEG, lambda image: pictures.encode(image, "jpeg", restart_marker_rows=1)),
    "png": (Format.PNG, lambda image: pictures.encode(image, "png")),
    "png palette": (Format.PNG, lambda image: pictures.encode(image.quantize(16), "png")),
    "png one bit": (Format.PNG, lambda image: pictures.encode(image.convert("1"), "png")),
    "webp": (Format.WEBP, lambda image: pictures.encode(image, "webp")),
    "webp lossless": (Format.WEBP, lambda image: pictures.encode(image, "webp", lossless=True)),
    "webp alpha": (Format.WEBP, lambda image: pictures.encode(image.convert("RGBA"), "webp", exact=True)),
    "webp profile": (Format.WEBP, lambda image: pictures.encode(image, "webp", icc_profile=b"x" * 200)),
    "gif": (Format.GIF, lambda image: pictures.encode(image, "gif")),
    "avif": (Format.AVIF, lambda image: pictures.encode(image, "avif", speed=10)),
    "avif alpha": (Format.AVIF, lambda image: pictures.encode(image.convert("RGBA"), "avif", speed=10)),
    "tiff": (Format.TIFF, lambda image: pictures.encode(image, "tiff")),
    "tiff lzw": (Format.TIFF, lambda image: pictures.encode(image, "tiff", compression="tiff_lzw")),
    "tiff big": (Format.TIFF, lambda image: pictures.encode(image, "tiff", big_tiff=True)),
    "heic": (Format.HEIC, extra_pictures.heic),
    "jxl": (Format.JXL, extra_pictures.jxl),
    "jxl boxes": (Format.JXL, lambda image: extra_pictures.jxl(image, use_container=True)),
    "svg": (Format.SVG, lambda image: extra_pictures.svg(width=image.width, height=image.height)),
}


def header(data: bytes, format_: Format) -> Header:
    return read_header(data, format_)


@contextmanager
def refused(reason: Reason, seconds: float = 1.0) -> Iterator[None]:
    """It is refused so fast that no codec can have decoded it."""
    began = time.process_time()
    with pytest.raises(ImageRefused) as caught:
        yield
    assert caught.value.reason is reason, caught.value
    assert time.process_time() - began < seconds


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (64, 48), (257, 131)])
@pytest.mark.parametrize("name", MAKERS)
def test_the_size_is_read(name: str, size: tuple[int, int], tmp_path: Path) -> None:
    format_, make = MAKERS[name]
    data = make(pictures.photo(*size))
    (tmp_path / "picture").write_bytes(data)
    found = header(data, format_)
    assert (found.width, found.height, found.frames) == (*size, 1)
    with mapped(tmp_path / "picture") as file:
        assert read_header(file, format_) == found


@pytest.mark.parametrize("frames", [1, 2, 7])
def test_frames_are_counted(frames: int) -> None:
    for format_, data in (
        (Format.GIF, pictures.gif(frames=frames)),
        (Format.WEBP, pictures.webp(frames=frames)),
        (Format.PNG, pictures.apng(frames)),
    ):
        assert header(data, format_).frames == frames == getattr(pictures.decode(data), "n_frames", 1)


@pytest.mark.parametrize(("subsampling", "times"), [(0, 3), (1, 2), (2, 1.5)])
def test_a_progressive_jpeg_is_held_as_coefficients(subsampling: int, times: float) -> None:
    found = header(pictures.jpeg(640, 480, progressive=True, subsampling=subsampling), Format.JPEG)
    assert found.buffer_bytes == 640 * 480 * times * 2
    assert found.whole_pixels == 640 * 480


def test_only_what_is_interlaced_is_held_whole() -> None:
    assert header(pictures.png(), Format.PNG).whole_pixels == 0
    data = bytearray(pictures.png())
    data[28] = 1
    assert header(bytes(data), Format.PNG).whole_pixels == 64 * 48


@pytest.mark.parametrize(("rows", "expected"), [(16, 0), (400, 0)])
def test_strips_of_a_tiff_are_taken_by_lines(rows: int, expected: int) -> None:
    data = pictures.tiff(100, 400, compression="tiff_lzw", tiffinfo={278: rows})
    assert header(data, Format.TIFF).whole_pixels == expected


def test_a_jpeg_in_one_strip_is_decoded_whole() -> None:
    data = pictures.tiff(96, 400, compression="jpeg", tiffinfo={278: 400})
    assert header(data, Format.TIFF).whole_pixels == 96 * 400


def test_a_row_of_tiles_is_decoded_at_once() -> None:
    data = bombs.tiff_tag(322, 3, 1, 5000)
    assert header(data, Format.TIFF).whole_pixels == 0  # a tile needs a height too
    wide = bytearray(bombs.tiff_tag(322, 4, 1, 30_000))
    # 278, the lines of a strip, becomes 323.
    at = wide.index(b"\x16\x01\x03\x00")
    wide[at : at + 10] = b"\x43\x01\x03\x00\x01\x00\x00\x00\x30\x75"
    assert header(bytes(wide), Format.TIFF).whole_pixels == 30_000 * 30_000
    with refused(Reason.TOO_MANY_PIXELS):
        inspect(bytes(wide))


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_pages_of_a_tiff_are_counted(order: str, *, big: bool) -> None:
    assert inspect(bombs.tiff_pages(1000, big=big, order=order)).frames == 1
    with refused(Reason.TOO_COSTLY):
        inspect(bombs.tiff_pages(1001, big=big, order=order))
    with refused(Reason.TOO_COSTLY, 2):
        inspect(bombs.tiff_pages(100_000, big=big, order=order))
    with refused(Reason.DAMAGED):
        inspect(bombs.tiff_pages(5, big=big, order=order, loop=True))


def test_a_tiff_may_have_no_endless_entries() -> None:
    with refused(Reason.TOO_COSTLY):
        inspect(bombs.tiff_tag(37510, 7, 2**31, 8))
    with refused(Reason.TOO_COSTLY):
        inspect(bombs.tiff_tag(34675, 7, 9 * 1024 * 1024, 8))


def test_scans_of_a_jpeg_are_counted() -> None:
    assert inspect(bombs.jpeg_scans(80)).width == 64
    with refused(Reason.TOO_COSTLY):
        inspect(bombs.jpeg_scans(100))
    with refused(Reason.TOO_COSTLY):
        inspect(bombs.jpeg_scans(1_000_000))


def test_a_marker_without_a_segment_hides_no_scans() -> None:
    data = bombs.jpeg_scans(200)
    # TEM (T.81, table B.1), after which libjpeg goes on with the marker that follows.
    with refused(Reason.TOO_COSTLY):
        inspect(data.replace(b"\xff\xda", b"\xff\x01\xff\xda"))


def test_scans_of_jpegs_in_a_tiff_are_counted() -> None:
    ordinary = bombs.tiff_jpegs([bombs.jpeg_scans(5, grey=True)] * 40, 64, 48)
    assert inspect(ordinary).width == 64
    assert inspect(bombs.tiff_jpegs([bombs.jpeg_scans(80, grey=True)], 64, 48)).width == 64
    with refused(Reason.TOO_COSTLY):
        inspect(bombs.tiff_jpegs([bombs.jpeg_scans(100, grey=True)], 64, 48))
    # libtiff would accept so many in each strip.
    with refused(Reason.TOO_COSTLY):
        inspect(bombs.tiff_jpegs([bombs.jpeg_scans(80, grey=True)] * 250, 64, 48))


@pytest.mark.parametrize("tag", [259, 273, 279])
def test_an_entry_that_libtiff_ignores_hides_no_jpegs_of_a_tiff(tag: int) -> None:
    repeated = bombs.tiff_jpegs([bombs.jpeg_scans(5, grey=True)] * 20, 64, 48, (tag, 3, 1, 1))
    assert inspect(repeated).width == 64
    with refused(Reason.TOO_COSTLY):
        inspect(bombs.tiff_jpegs([bombs.jpeg_scans(80, grey=True)] * 20, 64, 48, (tag, 3, 1, 1)))


def test_signed_numbers_hide_no_jpegs_of_a_tiff() -> None:
    data = bombs.tiff_jpegs([bombs.jpeg_scans(80, grey=True)] * 20, 64, 48)
    with refused(Reason.TOO_COSTLY):
        inspect(data.replace(struct.pack("<HHI", 273, 4, 20), struct.pack("<HHI", 273, 9, 20)))


def test_the_jpeg_of_a_tiff_has_scans_though_its_size_is_missing() -> None:
    data = bombs.tiff_jpegs([bombs.jpeg_scans(80, grey=True)], 64, 48)
    at = data.index(struct.pack("<HHI", 279, 4, 1)) + 8
    unknown = data[:at] + bytes(4) + data[at + 4 :]
    assert inspect(unknown).width == 64
    more = bombs.tiff_jpegs([bombs.jpeg_scans(100, grey=True)], 64, 48)
    with refused(Reason.TOO_COSTLY):
        inspect(more[:at] + bytes(4) + more[at + 4 :])


def test_overlapping_strips_of_a_tiff_are_refused_at_once() -> None:
    data = bombs.tiff_jpegs([bombs.jpeg_scans(10, grey=True)] * 3000, 64, 48)
    (sizes,) = struct.unpack_from("<I", data, data.index(struct.pack("<HHI", 279, 4, 3000)) + 8)
    whole = struct.pack("<3000I", *range(len(data), len(data) - 3000, -1))
    with refused(Reason.DAMAGED):
        inspect(data[:sizes] + whole + data[sizes + len(whole) :])


def test_scans_of_a_jpeg_in_an_svg_are_counted() -> None:
    picture = b64encode(bombs.jpeg_scans(200)).decode()
    with refused(Reason.TOO_COSTLY):
        inspect(extra_pictures.svg(f'<image href="data:image/jpeg;base64,{picture}"/>'))


@pytest.mark.parametrize("rows", [16, 400])
def test_jpegs_in_a_tiff_of_another_program_are_read(rows: int) -> None:
    data = pictures.tiff(96, 400, compression="jpeg", tiffinfo={278: rows})
    assert verify(data, inspect(data)).colour


def test_segments_of_a_jpeg_are_counted() -> None:
    assert inspect(bombs.jpeg_segments(4000)).width == 64
    with refused(Reason.TOO_COSTLY):
        inspect(bombs.jpeg_segments(1_000_000))


def test_a_jpeg_whose_segments_are_marked_twice_is_read() -> None:
    data = pictures.jpeg()
    assert inspect(data[:2] + b"\xff\xff\xff" + data[3:]).width == 64


def test_a_profile_has_an_end() -> None:
    assert inspect(bombs.jpeg_profile(1_000_000)).width == 64
    with refused(Reason.TOO_COSTLY):
        inspect(bombs.jpeg_profile(9_000_000))
    with refused(Reason.TOO_COSTLY):
        inspect(bombs.png_texts(b"iCCP", 1, 50_000_000))


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"tEXt"])
def test_texts_of_a_png_are_not_inflated_and_are_counted(kind: bytes) -> None:
    assert inspect(bombs.png_texts(kind, 3, 1_000_000)).width == 64
    if kind != b"tEXt":
        assert inspect(bombs.png_texts(kind, 20, 50_000_000)).width == 64
    with refused(Reason.TOO_COSTLY):
        inspect(bombs.png_texts(kind, 1001, 1))


def test_what_only_looks_compressed_is_passed_over() -> None:
    data = bombs.png_with((b"zTXt", b"a\0\0not deflated"), (b"iTXt", b"a\0\0\0\0\0plain"), (b"iTXt", b""))
    assert inspect(data).width == 64


def test_chunks_of_a_png_are_counted() -> None:
    with refused(Reason.TOO_COSTLY):
        inspect(bombs.png_with(*[(b"abCd", b"")] * 200_000))


def test_a_webp_is_known_by_its_canvas_before_any_of_it_is_allocated() -> None:
    with refused(Reason.TOO_MANY_PIXELS, 0.1):
        inspect(bombs.webp_canvas(16_000, 16_000))
    with refused(Reason.TOO_MANY_PIXELS, 0.1):
        inspect(bombs.webp_canvas(16_000, 16_000, frame=(8, 8)))
    with refused(Reason.TOO_LARGE_SIDE, 0.1):
        inspect(bombs.webp_canvas(2**24, 8))


@pytest.mark.parametrize(("canvas", "frame"), [((8, 8), (9, 8)), ((8, 8), (16, 16)), ((4, 8), (8, 8))])
def test_a_frame_of_a_webp_fits_its_bit_stream_and_the_canvas(
    canvas: tuple[int, int], frame: tuple[int, int]
) -> None:
    assert inspect(bombs.webp_canvas(8, 8, frame=(8, 8))).width == 8
    with refused(Reason.DAMAGED):
        inspect(bombs.webp_canvas(*canvas, frame=frame))


def test_frames_of_a_gif_are_counted_before_they_are_decoded() -> None:
    with refused(Reason.TOO_MANY_FRAMES, 2):
        inspect(pictures.tiny_gif(200_000, 100, 100))
    with refused(Reason.TOO_MANY_PIXELS):
        inspect(pictures.tiny_gif(1, 10_000, 6_000))


def test_pieces_of_a_gif_are_counted() -> None:
    assert inspect(bombs.gif_pieces(1000)).frames == 1
    with refused(Reason.TOO_COSTLY):
        inspect(bombs.gif_pieces(3_000_000))


def test_a_frame_beyond_the_screen_of_a_gif_counts() -> None:
    data = bytearray(pictures.tiny_gif(1))
    at = data.index(b"\x2c")
    data[at + 5 : at + 9] = b"\x30\x75\x30\x75"
    with refused(Reason.TOO_LARGE_SIDE):
        inspect(bytes(data))


def test_frames_of_an_apng_are_counted() -> None:
    with refused(Reason.TOO_MANY_FRAMES):
        inspect(bombs.png_with((b"acTL", (2**31 - 1).to_bytes(4) + bytes(4))))


@pytest.mark.parametrize("make", [pictures.avif, lambda: extra_pictures.heic(pictures.photo(64, 48))])
def test_the_size_that_a_heif_claims_is_held_against_the_limits(make: Callable[[], bytes]) -> None:
    data = make()
    with refused(Reason.TOO_LARGE_SIDE, 0.1):
        inspect(bombs.heif_sizes(data, 100_000, 1))
    with refused(Reason.TOO_MANY_PIXELS, 0.1):
        inspect(bombs.heif_sizes(data, 10_000, 10_000), Limits(max_whole_pixels=99_999_999))


@pytest.mark.parametrize("kind", [b"pitm", b"iinf", b"iprp", b"ispe", b"meta"])
def test_a_heif_without_what_tells_its_size_is_damaged(kind: bytes) -> None:
    with refused(Reason.DAMAGED):
        inspect(pictures.avif().replace(kind, b"free"))


JXL_START = b"\0\0\0\x0cJXL \r\n\x87\n"


@pytest.mark.parametrize("kind", [b"abcd", b"jxlc", b"jxlp", b"meta", b"ftyp"])
@pytest.mark.parametrize("start", [JXL_START, pictures.ftyp(b"avif")])
def test_a_box_may_claim_any_length(start: bytes, kind: bytes, tmp_path: Path) -> None:
    content = extra_pictures.jxl(pictures.photo(8, 8))
    for length in (2**63 - 1, 2**63, 2**64 - 1, 17, 16, 1):
        data = start + b"\0\0\0\x01" + kind + length.to_bytes(8) + content
        (tmp_path / "box").write_bytes(data)
        for source in (data, tmp_path / "box"):
            with pytest.raises(ImageRefused):
                verify(source, inspect(source))


LONG: dict[str, tuple[Format, Callable[[], bytes]]] = {
    "avif": (Format.AVIF, lambda: with_long_boxes(pictures.avif(8, 8))),
    "heic": (Format.HEIC, lambda: with_long_boxes(extra_pictures.heic(pictures.photo(8, 8)))),
    "jxl": (
        Format.JXL,
        lambda: with_long_boxes(extra_pictures.jxl(pictures.photo(8, 8), use_container=True)),
    ),
    "BigTIFF": (Format.TIFF, lambda: bombs.tiff_pages(2, big=True)),
    "BigTIFF, big-endian": (Format.TIFF, lambda: bombs.tiff_pages(2, big=True, order=">")),
    "tiff": (Format.TIFF, lambda: pictures.encode(pictures.photo(8, 8), "tiff")),
    "png": (Format.PNG, lambda: pictures.png(8, 8)),
    "webp": (Format.WEBP, lambda: pictures.webp(8, 8, alpha=True)),
}


def with_long_boxes(data: bytes) -> bytes:
    """A file of boxes, followed by one whose length has 64 bits."""
    return data + b"\0\0\0\x01free" + (20).to_bytes(8) + b"abcd"


@pytest.mark.parametrize("name", LONG)
def test_a_number_anywhere_may_be_of_any_size(name: str) -> None:
    """Numbers of 32 and 64 bits, in both byte orders; in memory and in a file."""
    format_, make = LONG[name]
    data = make()
    for at in range(min(len(data), 400)):
        for number, size in product((2**31, 2**63, 2**64 - 1), (4, 8)):
            if number < 2 ** (8 * size):
                for order in ("big", "little"):
                    only_refused(data[:at] + number.to_bytes(size, order) + data[at + size :], format_)


def only_refused(data: bytes, format_: Format) -> None:
    with mmap(-1, len(data)) as file:
        file[:] = data
        for parse in (check_complete, read_header):
            for source in (data, file):
                with contextlib.suppress(ImageRefused):
                    parse(source, format_)


def test_a_jpeg_whose_scan_lacks_its_parameters_is_damaged() -> None:
    data = pictures.encode(pictures.photo(24, 18), "jpeg", progressive=True)
    at = data.index(b"\xff\xda") + 2
    cut = data[:at] + b"\0\3" + data[at + 2 : at + 3] + data[at + int.from_bytes(data[at : at + 2]) :]
    with refused(Reason.DAMAGED):
        check_complete(cut, Format.JPEG)


def test_the_codestream_of_a_jxl_may_come_in_pieces() -> None:
    stream = extra_pictures.jxl(pictures.photo(64, 48))
    pieces = [stream[at : at + 3] for at in range(0, 30, 3)] + [stream[30:]]
    boxes = b"".join(
        (len(piece) + 12).to_bytes(4) + b"jxlp" + number.to_bytes(4) + piece
        for number, piece in enumerate(pieces)
    )
    found = header(b"\0\0\0\x0cJXL \r\n\x87\n" + boxes, Format.JXL)
    assert (found.width, found.height) == (64, 48)


def test_elements_of_an_svg_are_counted() -> None:
    verify(bombs.svg_depth(150), inspect(bombs.svg_depth(150)))
    with refused(Reason.TOO_COSTLY):
        inspect(bombs.svg_depth(250))
    with refused(Reason.TOO_COSTLY, 3):
        inspect(bombs.svg_depth(500_000))
    with refused(Reason.TOO_COSTLY, 3):
        inspect(extra_pictures.svg("<g/>" * 100_000))


@pytest.mark.parametrize(
    "spelt",
    [
        "data:image/png;base64,",
        "DATA:image/png;x=y; BASE64 ,",
        " da&#10;ta:image/png;base64,",
    ],
)
def test_what_an_svg_embeds_is_counted_in_pixels(spelt: str) -> None:
    fine = bombs.svg_embedding(500, spelt=spelt)
    assert inspect(fine).buffer_bytes >= 250_000
    verify(fine, inspect(fine))
    with refused(Reason.TOO_COSTLY):
        inspect(bombs.svg_embedding(8000, spelt=spelt))


@pytest.mark.parametrize("name", MAKERS)
def test_of_a_file_cut_anywhere_there_is_a_header_or_a_refusal(name: str) -> None:
    format_, make = MAKERS[name]
    data = make(pictures.photo(64, 48))
    for cut in range(min(len(data), 700)):
        try:
            found = header(data[:cut], format_)
        except ImageRefused:
            continue
        assert (found.width, found.height) == (64, 48), cut


def test_an_empty_file_can_be_looked_at(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with pytest.raises(ImageRefused, match="empty"):
        inspect(tmp_path / "empty")


def test_pillow_agrees_on_what_the_tests_make() -> None:
    """The test files are valid for other decoders, too."""
    for name, (format_, make) in MAKERS.items():
        if format_ is not Format.SVG:
            assert Image.open(io.BytesIO(make(pictures.photo(64, 48)))).size == (64, 48), name
    assert Image.open(io.BytesIO(bombs.tiff_pages(3))).n_frames == 3  # type: ignore[attr-defined]
    assert Image.open(io.BytesIO(bombs.webp_canvas(8, 8, frame=(8, 8)))).size == (8, 8)
