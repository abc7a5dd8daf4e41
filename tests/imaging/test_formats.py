import pytest

from tests import pictures
from tintype.imaging import Format, extension_fits, row, sniff
from tintype.imaging.formats import ROWS


@pytest.mark.parametrize("format_", Format)
def test_what_pillow_writes_is_recognised(format_: Format) -> None:
    assert sniff(pictures.picture(format_)) is format_


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\xff\xd8\xff\xe1", Format.JPEG),
        (b"\x89PNG\r\n\x1a\n", Format.PNG),
        (b"GIF87a", Format.GIF),
        (b"GIF89a", Format.GIF),
        (b"RIFF\x10\0\0\0WEBPVP8 ", Format.WEBP),
        (b"II*\0\x08\0\0\0", Format.TIFF),
        (b"MM\0*\0\0\0\x08", Format.TIFF),
        (b"II+\0\x08\0\0\0", Format.TIFF),
        (b"MM\0+\0\x08\0\0", Format.TIFF),
        (pictures.ftyp(b"avif", b"mif1"), Format.AVIF),
        (pictures.ftyp(b"avis"), Format.AVIF),
        (pictures.ftyp(b"mif1", b"miaf", b"avif"), Format.AVIF),
    ],
)
def test_the_first_bytes_decide(head: bytes, expected: Format) -> None:
    assert sniff(head) is expected


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\xff\xd8",
        b"\x89PNG\r\n\x1a",
        b"GIF88a",
        b"RIFF\x10\0\0\0WAVE",
        b"II*",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"BM6\0\0\0",
        pictures.ftyp(b"heic", b"mif1", b"heic"),
        pictures.ftyp(b"isom", b"mp42"),
        pictures.ftyp(b"heic") + b"avif",
    ],
)
def test_other_bytes_are_none_of_ours(head: bytes) -> None:
    assert sniff(head) is None


def test_every_format_has_its_row() -> None:
    assert [entry.format for entry in ROWS] == list(Format)


@pytest.mark.parametrize(
    ("format_", "media_type", "extension"),
    [
        (Format.JPEG, "image/jpeg", "jpg"),
        (Format.PNG, "image/png", "png"),
        (Format.WEBP, "image/webp", "webp"),
        (Format.GIF, "image/gif", "gif"),
        (Format.AVIF, "image/avif", "avif"),
        (Format.TIFF, "image/tiff", "tif"),
    ],
)
def test_media_types_and_first_extensions(format_: Format, media_type: str, extension: str) -> None:
    assert (row(format_).media_type, row(format_).extensions[0]) == (media_type, extension)


def test_tiff_is_a_source_only() -> None:
    assert [entry.format for entry in ROWS if entry.saver is None] == [Format.TIFF]


def test_extensions_fit_in_any_case_and_with_a_dot() -> None:
    assert extension_fits(Format.JPEG, "JPEG")
    assert extension_fits(Format.JPEG, ".Jpg")
    assert extension_fits(Format.TIFF, "tiff")
    assert not extension_fits(Format.PNG, "jpg")
    assert not extension_fits(Format.PNG, "")
