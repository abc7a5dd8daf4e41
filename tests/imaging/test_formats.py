import pytest

from tests import pictures
from tintype.imaging import Format, extension_fits, sniff, spec
from tintype.imaging.formats import SPECS


@pytest.mark.parametrize("format_", [entry.format for entry in SPECS if entry.package is None])
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
        (pictures.ftyp(b"heic", b"mif1", b"heic"), Format.HEIC),
        (pictures.ftyp(b"heic") + b"avif", Format.HEIC),
        (pictures.ftyp(b"mif1"), Format.HEIC),
        (b"BM\x9a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", Format.BMP),
        (b"BM\x9a\0\0\0\0\0\0\0\x1a\0\0\0\x0c\0\0\0", Format.BMP),
        (b"\0\0\1\0\1\0\x10\x10\0\0\1\0\x20\0\x68\4\0\0\x16\0\0\0", Format.ICO),
        (b"\0\0\1\0ftypavif\0\0\0\0" + b"mif1" * 60, Format.AVIF),
        (b"\xff\x0a\0", Format.JXL),
        (b"\0\0\0\x0cJXL \r\n\x87\n", Format.JXL),
        (b"<svg>", Format.SVG),
        (b"<svg/>", Format.SVG),
        (b"<svg:svg xmlns:svg='http://www.w3.org/2000/svg'>", Format.SVG),
        (b"\xef\xbb\xbf\n <?xml version='1.0'?>\n<!-- a > b -->\n<svg\n>", Format.SVG),
        (b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "svg11.dtd" [<!ENTITY a "b">]><svg>', Format.SVG),
        ("\ufeff<?xml version='1.0' encoding='utf-16'?><svg/>".encode("utf-16-le"), Format.SVG),
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
        b"<svgs/>",
        b"<html><svg xmlns='http://www.w3.org/2000/svg'/></html>",
        b"<?xml version='1.0'?><!-- <svg> --><x:y/>",
        b"<!--" * 1000,
        b"<!DOCTYPE[" + b"<!--a" * 12_000,
        b"<!---->" * 500 + b"<",
        b"\xff\x0b",
        b"BM6\0\0\0",
        b"BMW and other makers of cars, in a text",
        b"\0\0\1\0",
        b"\0\0\1\0\0\0",
        b"\0\0\2\0\1\0\x10\x10\0\0\1\0\x20\0\x68\4\0\0\x16\0\0\0",  # a cursor
        pictures.ftyp(b"isom", b"mp42"),
    ],
)
def test_other_bytes_are_none_of_ours(head: bytes) -> None:
    assert sniff(head) is None


def test_every_format_has_its_row() -> None:
    assert [entry.format for entry in SPECS] == list(Format)


@pytest.mark.parametrize(
    ("format_", "media_type", "extension"),
    [
        (Format.JPEG, "image/jpeg", "jpg"),
        (Format.PNG, "image/png", "png"),
        (Format.WEBP, "image/webp", "webp"),
        (Format.GIF, "image/gif", "gif"),
        (Format.AVIF, "image/avif", "avif"),
        (Format.TIFF, "image/tiff", "tif"),
        (Format.HEIC, "image/heic", "heic"),
        (Format.JXL, "image/jxl", "jxl"),
        (Format.SVG, "image/svg+xml", "svg"),
    ],
)
def test_media_types_and_first_extensions(format_: Format, media_type: str, extension: str) -> None:
    assert (spec(format_).media_type, spec(format_).extensions[0]) == (media_type, extension)


def test_some_formats_are_sources_only() -> None:
    sources = [Format.TIFF, Format.BMP, Format.ICO, Format.HEIC, Format.SVG]
    assert [entry.format for entry in SPECS if entry.saver is None] == sources


def test_extensions_fit_in_any_case_and_with_a_dot() -> None:
    assert extension_fits(Format.JPEG, "JPEG")
    assert extension_fits(Format.JPEG, ".Jpg")
    assert extension_fits(Format.TIFF, "tiff")
    assert not extension_fits(Format.PNG, "jpg")
    assert not extension_fits(Format.PNG, "")
