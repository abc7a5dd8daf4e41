import pickle
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import pictures
from tintype.imaging import Format, ImageRefused, Limits, Reason, inspect, verify
from tintype.imaging.formats import SPECS

WHOLE = {
    "jpeg": pictures.jpeg(300, 200),
    "jpeg progressive": pictures.jpeg(300, 200, progressive=True),
    "jpeg flat": pictures.encode(pictures.corners(320, 240), "jpeg"),
    "png": pictures.png(100, 80),
    "png with alpha": pictures.png(100, 80, alpha=True),
    "apng": pictures.apng(3),
    "webp": pictures.webp(300, 200),
    "webp lossless": pictures.webp(100, 80, lossless=True),
    "webp animated": pictures.webp(frames=3),
    "gif": pictures.gif(),
    "gif animated": pictures.gif(frames=3),
    "avif": pictures.avif(300, 200),
    "tiff": pictures.tiff(),
    "tiff lzw": pictures.tiff(compression="tiff_lzw"),
    "tiff jpeg": pictures.tiff(compression="jpeg"),
}


def refusal(source: bytes | Path, limits: Limits | None = None) -> ImageRefused:
    with pytest.raises(ImageRefused) as caught:
        verify(source, inspect(source, limits or Limits()))
    return caught.value


@pytest.mark.parametrize("format_", [entry.format for entry in SPECS if entry.package is None])
def test_the_facts_of_a_still_picture(format_: Format) -> None:
    data = pictures.picture(format_, 64, 48)
    info = inspect(data)
    assert (info.format, info.width, info.height, info.frames) == (format_, 64, 48, 1)
    assert (info.has_alpha, info.orientation, info.bands) == (False, 1, 3)
    assert info.bits == 8


@pytest.mark.parametrize(
    "data",
    [
        pictures.png(alpha=True),
        pictures.webp(alpha=True),
        pictures.avif(alpha=True),
        pictures.tiff(alpha=True),
        pictures.encode(pictures.translucent(40, 30), "gif"),
    ],
    ids=["png", "webp", "avif", "tiff", "gif"],
)
def test_alpha_is_seen(data: bytes) -> None:
    assert inspect(data).has_alpha


@pytest.mark.parametrize(
    "data", [pictures.apng(5), pictures.gif(frames=5), pictures.webp(frames=5)], ids=["apng", "gif", "webp"]
)
def test_frames_are_counted(data: bytes) -> None:
    info = inspect(data)
    assert (info.width, info.height, info.frames, info.is_animated) == (64, 48, 5, True)


def test_an_animation_chunk_behind_the_pixels_makes_no_animation() -> None:
    data = pictures.png()
    end = data.index(b"IEND") - 4
    late = data[:end] + pictures.png_chunk(b"acTL", b"\0\0\0\x05\0\0\0\0") + data[end:]
    assert inspect(late).frames == 1


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_", ["jpeg", "png", "webp", "tiff"])
def test_the_size_is_as_a_person_sees_it(format_: str, orientation: int) -> None:
    info = inspect(pictures.oriented(orientation, 80, 60, format_))
    assert (info.width, info.height, info.orientation) == (80, 60, orientation)


def test_an_orientation_out_of_range_counts_as_upright() -> None:
    info = inspect(pictures.oriented(9))
    assert (info.width, info.height, info.orientation) == (80, 60, 1)


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_picture_is_verified_from_memory_and_from_a_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / "odd name [shrink=2].bin"
    path.write_bytes(WHOLE[name])
    info = inspect(WHOLE[name])
    assert inspect(path) == info
    verify(WHOLE[name], info)
    verify(path, info)


@pytest.mark.parametrize("name", WHOLE)
def test_a_picture_cut_short_is_refused_wherever_it_is_cut(name: str, tmp_path: Path) -> None:
    data = WHOLE[name]
    # Without its trailer a GIF is whole, without its end mark a JPEG, and without its end chunk a PNG.
    end = len(data) - {"gif": 1, "jpeg": 2, "png": 12}.get(name.split(maxsplit=1)[0], 0)
    cuts = {*range(16, end, max(1, end // 40)), *range(end - 16, end)}
    path = tmp_path / "cut"
    for cut in sorted(cuts):
        assert refusal(data[:cut]).reason in {Reason.DAMAGED, Reason.UNSUPPORTED}, cut
    path.write_bytes(data[: len(data) * 2 // 3])
    assert refusal(path).reason is Reason.DAMAGED


@pytest.mark.parametrize(
    "data",
    [
        pictures.jpeg(1205, 1011),
        pictures.jpeg(1205, 1011, progressive=True),
        pictures.webp(323, 203, lossless=True),
        pictures.tiff(323, 203, tiffinfo={278: 1}),  # a line a strip
        pictures.tiff(323, 203, compression="tiff_lzw"),
    ],
    ids=["jpeg", "jpeg progressive", "webp lossless", "tiff", "tiff lzw"],
)
def test_lines_that_are_left_over_when_it_is_made_smaller_are_read_too(data: bytes) -> None:
    verify(data, inspect(data))
    assert refusal(data[:-40]).reason is Reason.DAMAGED


@pytest.mark.parametrize("name", WHOLE)
def test_bytes_behind_the_end_are_harmless(name: str) -> None:
    data = WHOLE[name] + b"left over by some uploader"
    verify(data, inspect(data))


def test_an_unknown_chunk_is_harmless_even_with_a_wrong_checksum() -> None:
    data, chunk = pictures.png(), pictures.png_chunk(b"zzZz", b"hello")
    at = data.index(b"IDAT") - 4
    for odd in (chunk, chunk[:-1] + bytes([chunk[-1] ^ 1])):
        whole = data[:at] + odd + data[at:]
        verify(whole, inspect(whole))


def test_pixels_with_a_wrong_checksum_are_refused() -> None:
    data = bytearray(pictures.png())
    at = data.index(b"IDAT")
    data[at + 4 + int.from_bytes(data[at - 4 : at])] ^= 1
    assert refusal(bytes(data)).reason is Reason.DAMAGED


def test_a_gif_with_a_stray_block_is_refused() -> None:
    assert refusal(pictures.gif()[:-1] + b"\x77\x3b").reason is Reason.DAMAGED


@pytest.mark.parametrize(
    ("data", "limits", "reason"),
    [
        (pictures.png_header(60_000, 60_000), Limits(), Reason.TOO_LARGE_SIDE),
        (pictures.png_header(19_000, 19_000), Limits(), Reason.TOO_MANY_PIXELS),
        (pictures.tiny_gif(1001), Limits(), Reason.TOO_MANY_FRAMES),
        (pictures.tiny_gif(20_000), Limits(), Reason.TOO_MANY_FRAMES),
        (pictures.tiny_gif(900, 1000, 1000), Limits(), Reason.TOO_MANY_PIXELS),
        (pictures.apng(3), Limits(max_frames=2), Reason.TOO_MANY_FRAMES),
        (pictures.jpeg(65, 48), Limits(max_side=64), Reason.TOO_LARGE_SIDE),
        (pictures.avif(64, 48), Limits(max_pixels=64 * 48 - 1), Reason.TOO_MANY_PIXELS),
    ],
)
def test_a_bomb_is_refused_by_its_header(data: bytes, limits: Limits, reason: Reason) -> None:
    # Most of these have hardly any pixels behind the header: decoding them would say "damaged" instead.
    with pytest.raises(ImageRefused) as caught:
        inspect(data, limits)
    assert caught.value.reason is reason


def test_what_just_meets_the_limits_is_accepted() -> None:
    limits = Limits(max_side=64, max_pixels=64 * 48, max_frames=3, max_total_pixels=3 * 64 * 48)
    assert inspect(pictures.gif(frames=3), limits).frames == 3


def test_the_sentence_tells_the_size_and_the_limit() -> None:
    message = str(refusal(pictures.png_header(12_000, 9000)))
    assert (
        message
        == "The picture has 12000 \N{MULTIPLICATION SIGN} 9000 pixels; at most 100000000 are accepted."
    )


@pytest.mark.parametrize(
    ("head", "word"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\n <?xml version='1.0'?><html/>", "script"),
        ("<html/>".encode("utf-16"), "script"),
        (b"<!DOCTYPE html><script>alert(1)</script>", "script"),
        (b"BM6\0\0\0", "Accepted are JPEG, PNG, WebP, GIF, AVIF, TIFF"),
        (b"%PDF-1.7", "Accepted are"),
        (random.Random(1).randbytes(500), "Accepted are"),
    ],
)
def test_unsupported_files_are_refused_with_a_reason(head: bytes, word: str) -> None:
    refused = refusal(head)
    assert refused.reason is Reason.UNSUPPORTED
    assert word in str(refused)


@pytest.mark.parametrize(
    "data",
    [b"\xff\xd8\xff\xe0" + bytes(200), pictures.PNG_SIGNATURE, pictures.ftyp(b"avif"), b"GIF89a", b"II*\0"],
)
def test_a_signature_with_nothing_behind_it_is_damaged(data: bytes) -> None:
    assert refusal(data).reason is Reason.DAMAGED


def test_a_missing_file_is_no_verdict_on_a_picture(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        inspect(tmp_path / "nothing here")


def test_a_refusal_survives_the_way_between_processes() -> None:
    refused = refusal(b"")
    again = pickle.loads(pickle.dumps(refused))  # noqa: S301  # our own bytes
    assert (again.reason, str(again)) == (refused.reason, str(refused))


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (7, 300), (300, 7), (8, 8)])
@pytest.mark.parametrize("make", [pictures.jpeg, pictures.png, pictures.webp, pictures.gif, pictures.tiff])
def test_a_tiny_picture_is_as_good_as_any(make: Callable[..., bytes], size: tuple[int, int]) -> None:
    data = make(*size)
    info = inspect(data)
    assert (info.width, info.height) == size
    verify(data, info)


def test_a_gif_that_only_lacks_its_trailer_is_whole() -> None:
    data = pictures.gif()
    assert data[-1:] == b"\x3b"
    verify(data[:-1], inspect(data[:-1]))


def test_a_gif_that_ends_behind_an_extension_is_refused() -> None:
    data = pictures.gif()[:-1] + b"\x21\xfe\x02hi\x00"
    assert refusal(data).reason is Reason.DAMAGED
