"""Stripped originals, read by other decoders: Pillow, pillow-heif, libjxl and libvips."""

import contextlib
import io
import struct
from collections.abc import Callable

import pillow_heif
import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms, ImageSequence

from tests import bombs
from tests.extra_pictures import jxl
from tintype.imaging import Format, ImageRefused
from tintype.imaging.metadata import strip

SECRET = "Mme. Secret, 48.8584 N"
XMP = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><who>{SECRET}</who></x:xmpmeta>'.encode()
TURNED = 6
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

pillow_heif.register_heif_opener()


def picture() -> Image.Image:
    noise = pyvips.Image.gaussnoise(40, 30, seed=7).cast("uchar")
    rgb = noise.bandjoin([noise.rot180(), noise.invert()]).copy(interpretation="srgb")
    return Image.frombytes("RGB", (40, 30), bytes(rgb.write_to_memory()))


def exif(orientation: int = TURNED) -> Image.Exif:
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = orientation
    tags[ExifTags.Base.Artist] = SECRET
    tags.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    tags.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (48.0, 51.0, 30.0)
    tags.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = SECRET.encode()
    return tags


def saved(format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture().save(buffer, format, **options)
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


MADE: dict[Format, Callable[[], bytes]] = {
    Format.JPEG: lambda: saved("JPEG", exif=exif(), xmp=XMP, comment=SECRET, icc_profile=PROFILE, quality=90),
    Format.PNG: lambda: saved("PNG", exif=exif(), icc_profile=PROFILE, pnginfo=_png_text()),
    Format.WEBP: lambda: saved("WEBP", exif=exif().tobytes(), xmp=XMP, icc_profile=PROFILE, lossless=True),
    Format.TIFF: lambda: saved("TIFF", exif=exif(), icc_profile=PROFILE, description=SECRET, software=SECRET),
    Format.AVIF: lambda: saved("AVIF", exif=exif(1).tobytes(), xmp=XMP, icc_profile=PROFILE),
    Format.HEIC: lambda: saved("HEIF", exif=exif(1).tobytes(), xmp=XMP, icc_profile=PROFILE),
}


def _png_text() -> object:
    from PIL.PngImagePlugin import PngInfo  # noqa: PLC0415  of this one format

    info = PngInfo()
    info.add_text("Author", SECRET)
    info.add_text("Comment", SECRET, zip=True)
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    return info


@pytest.mark.parametrize("format", MADE)
def test_what_is_left_is_the_picture_its_profile_and_its_orientation(format: Format) -> None:
    data = MADE[format]()
    before, after = opened(data), opened(strip(data, format))
    assert after.tobytes() == before.tobytes()
    assert after.info.get("icc_profile") == before.info["icc_profile"]
    tags = dict(after.getexif())
    turned = before.getexif().get(ExifTags.Base.Orientation, 1)
    assert tags.pop(ExifTags.Base.Orientation, 1) == turned
    # What a TIFF is drawn by stands among the same entries.
    assert not tags or (format is Format.TIFF and not tags.keys() & {270, 305, 315, 34665, 34853})
    assert not after.getexif().get_ifd(ExifTags.IFD.GPSInfo)
    assert not after.getexif().get_ifd(ExifTags.IFD.Exif)


@pytest.mark.parametrize("format", MADE)
def test_no_metadata_is_left_in_the_bytes(format: Format) -> None:
    data = MADE[format]()
    assert SECRET.encode() in data
    stripped = strip(data, format)
    assert SECRET.encode() not in stripped
    assert b"xmpmeta" not in stripped
    assert b"GPS" not in stripped


@pytest.mark.parametrize("format", MADE)
def test_a_second_time_changes_nothing(format: Format) -> None:
    once = strip(MADE[format](), format)
    assert strip(once, format) == once


@pytest.mark.parametrize("format", [Format.JPEG, Format.PNG, Format.WEBP, Format.TIFF])
def test_the_orientation_is_that_of_libvips_too(format: Format) -> None:
    data = MADE[format]()
    before = pyvips.Image.new_from_buffer(data, "")
    after = pyvips.Image.new_from_buffer(strip(data, format), "")
    assert after.get("orientation") == before.get("orientation") == TURNED
    assert (after - before).abs().max() == 0


def test_a_progressive_jpeg_keeps_all_scans_and_loses_what_follows_its_end() -> None:
    data = saved("JPEG", exif=exif(1), progressive=True) + MADE[Format.JPEG]()
    stripped = strip(data, Format.JPEG)
    assert opened(stripped).tobytes() == opened(data).tobytes()
    assert SECRET.encode() not in stripped
    assert b"Exif" not in stripped


@pytest.mark.parametrize("between", [b"\0\0\0", b"junk", b"\xff\xff\xff", b"\xff\xd3"])
def test_a_jpeg_with_bytes_between_its_segments_stays_a_picture(between: bytes) -> None:
    data = saved("JPEG")
    odd = data[:20] + between + data[20:]
    assert opened(odd).tobytes() == opened(data).tobytes()
    assert opened(strip(odd, Format.JPEG)).tobytes() == opened(data).tobytes()


def test_a_tiff_whose_entries_lead_into_its_header_keeps_it() -> None:
    # A description of 100 bytes that begins with the file.
    data = bombs.tiff_tag(270, 2, 100, 0)
    assert opened(strip(data, Format.TIFF)).tobytes() == opened(data).tobytes()


def test_a_jpeg_of_several_pictures_is_the_first_one() -> None:
    buffer = io.BytesIO()
    picture().save(buffer, "MPO", save_all=True, append_images=[picture()], comment=SECRET)
    stripped = strip(buffer.getvalue(), Format.JPEG)
    assert stripped.count(b"\xff\xd8\xff") == 1
    assert b"MPF" not in stripped


def test_a_gif_keeps_its_frames_delays_and_loops() -> None:
    frames = [picture().quantize(16), picture().rotate(180).quantize(16)]
    buffer = io.BytesIO()
    frames[0].save(
        buffer,
        "GIF",
        save_all=True,
        append_images=frames[1:],
        duration=[120, 340],
        loop=3,
        comment=SECRET.encode(),
    )
    data = buffer.getvalue()
    xmp = b"\x21\xff\x0bXMP DataXMP" + XMP + bytes((1, *range(255, -1, -1), 0))
    stripped = strip(data[:-1] + xmp + b";", Format.GIF)
    assert SECRET.encode() not in stripped
    before, after = opened(data), opened(stripped)
    assert after.info["loop"] == before.info["loop"] == 3
    for one, other in zip(ImageSequence.Iterator(before), ImageSequence.Iterator(after), strict=True):
        assert one.convert("RGB").tobytes() == other.convert("RGB").tobytes()
        assert one.info["duration"] == other.info["duration"]


def test_a_gif_with_an_image_without_data_is_refused() -> None:
    buffer = io.BytesIO()
    picture().quantize(16).save(buffer, "GIF")
    empty = b",\0\0\0\0\x28\0\x1e\0\0" + b"\x04\0"
    with pytest.raises(ImageRefused):
        strip(buffer.getvalue()[:-1] + empty + b";", Format.GIF)


@pytest.mark.parametrize(("label", "is_refused"), [(0x01, True), (0xAB, True), (0xFF, True), (0xFE, False)])
def test_a_gif_whose_decoders_lose_their_place_is_refused(label: int, *, is_refused: bool) -> None:
    """Behind an extension without content they go on at different places, except behind a comment."""
    buffer = io.BytesIO()
    picture().quantize(16).save(buffer, "GIF")
    data = buffer.getvalue()
    empty = data[:-1] + bytes((0x21, label, 0)) + b";"
    if is_refused:
        with pytest.raises(ImageRefused):
            strip(empty, Format.GIF)
    else:
        assert opened(strip(empty, Format.GIF)).tobytes() == opened(data).tobytes()


def test_a_moving_webp_keeps_moving() -> None:
    buffer = io.BytesIO()
    picture().save(
        buffer, "WEBP", save_all=True, append_images=[picture().rotate(180)], duration=[100, 300], xmp=XMP
    )
    stripped = strip(buffer.getvalue(), Format.WEBP)
    assert b"xmpmeta" not in stripped
    assert opened(stripped).n_frames == 2  # type: ignore[attr-defined]  # of moving formats


def test_a_moving_png_keeps_moving() -> None:
    buffer = io.BytesIO()
    picture().save(buffer, "PNG", save_all=True, append_images=[picture().rotate(180)], pnginfo=_png_text())
    stripped = strip(buffer.getvalue(), Format.PNG)
    assert SECRET.encode() not in stripped
    assert opened(stripped).n_frames == 2  # type: ignore[attr-defined]  # of moving formats


def test_a_jxl_loses_its_boxes() -> None:
    codestream = jxl(picture())
    box = struct.pack(">I", 8 + len(codestream)) + b"jxlc" + codestream
    head = b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0\0\0\x14ftypjxl \0\0\0\0jxl "
    secret = struct.pack(">I", 8 + len(XMP)) + b"xml " + XMP
    assert strip(head + secret + box + secret, Format.JXL) == head + box
    assert strip(codestream, Format.JXL) == codestream


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_an_svg_loses_comments_and_metadata(encoding: str) -> None:
    comment = f"<!-- {SECRET} --><svg xmlns='http://www.w3.org/2000/svg'><metadata id='m'>{SECRET}</metadata>"
    data = (comment + "<s:metadata xmlns:s='urn:s'/><text>é</text></svg>").encode(encoding)
    expected = '<svg xmlns="http://www.w3.org/2000/svg"><text>é</text></svg>'
    assert strip(data, Format.SVG).decode() == expected


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_big_tiff_is_read_in_either_order(order: str) -> None:
    comment, pixels = SECRET.encode(), b"abcdefghi"
    tags = (
        (256, 3, 9),
        (257, 3, 1),
        (258, 3, 8),
        (262, 3, 1),
        (273, 4, 300),
        (274, 3, 6),
        (279, 4, len(pixels)),
    )
    entries = [struct.pack(order + "HHQ", 270, 2, len(comment)) + struct.pack(order + "Q", 200)]
    entries += [
        struct.pack(order + "HHQ", tag, kind, 1)
        + struct.pack(order + {3: "H", 4: "I"}[kind], value).ljust(8, b"\0")
        for tag, kind, value in tags
    ]
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HHHQ", 43, 8, 0, 16)
    directory = struct.pack(order + "Q", len(entries)) + b"".join(entries)
    data = ((head + directory + bytes(8)).ljust(200, b"\0") + comment).ljust(300, b"\0") + pixels
    stripped = strip(data, Format.TIFF)
    assert comment not in stripped
    image = pyvips.Image.new_from_buffer(stripped, "")
    assert image.write_to_memory() == pixels
    assert image.get("orientation") == TURNED


@pytest.mark.parametrize("format", Format)
@given(data=st.data())
def test_whatever_comes_is_refused_in_our_words(format: Format, data: st.DataObject) -> None:
    base = MADE[format]() if format in MADE else b"GIF89a\x01\0\x01\0\0\0\0\x2c"
    cut = data.draw(st.integers(0, len(base)))
    changed = bytearray(base[:cut] + data.draw(st.binary(max_size=40)))
    for at in data.draw(st.lists(st.integers(0, max(0, len(changed) - 1)), max_size=8)):
        changed[at : at + 1] = bytes((data.draw(st.integers(0, 255)),))
    with contextlib.suppress(ImageRefused):
        strip(bytes(changed), format)
