"""Files with a marker planted in every place beside the pixels, by format; made by code, always the same."""

import struct
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator

from PIL import ExifTags, Image, ImageCms

from tests import bitmaps, extra_pictures, pictures
from tintype.imaging import Format
from tintype.imaging.metadata import strip

MARKER = b"Mme. Secret, 48.8584 N"
TEXT = MARKER.decode()
SIDES = (40, 30)
TURNED = 6
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + MARKER + b"</x:xmpmeta>"

Planted = Iterator[tuple[str, bytes]]
"""Where the marker is, and the file."""


def picture() -> Image.Image:
    return pictures.photo(*SIDES)


def exif(orientation: int = TURNED) -> bytes:
    """An EXIF block with the marker in all of its directories."""
    block = Image.Exif()
    block[ExifTags.Base.Orientation] = orientation
    block[ExifTags.Base.Artist] = TEXT
    block.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSAreaInformation] = MARKER
    block.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.MakerNote] = MARKER
    return block.tobytes()


def saved(format: str, **options: object) -> bytes:
    return pictures.encode(picture(), format, icc_profile=PROFILE, **options)


def jpegs() -> Planted:
    data = saved("jpeg", exif=exif(), quality=90)
    for mark in (*range(0xE0, 0xF0), 0xFE, 0xF3, 0xDF):
        yield f"segment {mark:x}", _spliced(data, 2, _segment(mark, MARKER))
    yield "XMP", _spliced(data, 2, _segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP))
    yield "Photoshop", _spliced(data, 2, _segment(0xED, b"Photoshop 3.0\0" + MARKER))
    yield "MPF", _spliced(data, 2, _segment(0xE2, b"MPF\0" + MARKER))
    yield "JFIF thumbnail", _spliced(data, 2, _segment(0xE0, b"JFIF\0\x01\2\0\0\1\0\1\4\2" + MARKER + b"ab"))
    yield "behind Adobe", _spliced(data, 2, _segment(0xEE, b"Adobe\0\x64\0\0\0\0\1" + MARKER))
    yield "JFXX", _spliced(data, 2, _segment(0xE0, b"JFXX\0" + MARKER))
    yield "behind the profile", saved("jpeg").replace(PROFILE, PROFILE) and _longer_jpeg_profile()
    yield "between segments", _spliced(data, 2, MARKER)
    yield "after fill bytes", _spliced(data, 2, b"\xff\xff\xff" + _segment(0xFE, MARKER))
    yield "behind the end", data + MARKER
    yield "second picture", data + saved("jpeg", exif=exif())
    yield "behind the last scan", data[:-2] + MARKER + data[-2:]
    yield "tables behind the last scan", data[:-2] + _segment(0xDB, b"\3" + (3 * MARKER)[:64]) + data[-2:]
    yield "after a restart that is none", data[:-2] + b"\xff\xd0" + MARKER + data[-2:]
    yield "after a marker that is none", data[:-2] + b"\xff\x02" + MARKER + data[-2:]
    progressive = saved("jpeg", exif=exif(), progressive=True)
    for number, at in enumerate(_all(progressive, b"\xff\xda")):
        yield f"before scan {number}", _spliced(progressive, at, _segment(0xED, MARKER) + MARKER)
    yield "progressive, before the end", _spliced(progressive, len(progressive) - 2, _segment(0xFE, MARKER))


def _longer_jpeg_profile() -> bytes:
    return pictures.encode(picture(), "jpeg", icc_profile=PROFILE + MARKER)


def pngs() -> Planted:
    data = saved("png", exif=exif())
    deflated = zlib.compress(MARKER)
    chunks = {
        b"tEXt": b"Author\0" + MARKER,
        b"zTXt": b"Author\0\0" + deflated,
        b"iTXt": b"Author\0\1\0\0\0" + deflated,
        b"tIME": MARKER[:7],
        b"sPLT": MARKER + b"\0\x08",
        b"hIST": MARKER,
        b"oFFs": MARKER,
        b"pCAL": MARKER + b"\0",
        b"caBX": MARKER,
        b"prVt": MARKER,
        b"zxIf": b"\0" + deflated,
        b"gAMA": MARKER,
        b"sBIT": MARKER,
        b"pHYs": MARKER,
        b"cICP": MARKER,
        b"bKGD": MARKER,
        b"tRNS": MARKER,
        b"fdAT": MARKER,
        b"fcTL": MARKER,
    }
    for kind, content in chunks.items():
        for place, at in (("head", 33), ("middle", data.index(b"IDAT") - 4), ("tail", len(data) - 12)):
            if (kind, place) != (b"hIST", "head"):
                yield f"{kind.decode()} in the {place}", _spliced(data, at, pictures.png_chunk(kind, content))
    yield "behind the end", data + MARKER
    yield "end with content", data[:-12] + pictures.png_chunk(b"IEND", MARKER)
    yield "more pixels", _spliced(data, len(data) - 12, pictures.png_chunk(b"IDAT", MARKER))
    yield "behind the pixels", _png_of(zlib.compress(_png_rows()) + MARKER)
    yield "behind the pixels, deflated", _png_of(zlib.compress(_png_rows()) + deflated)
    named = MARKER + b"\0\0" + zlib.compress(PROFILE) + MARKER
    yield "name of the profile", _spliced(saved_plain("png"), 33, pictures.png_chunk(b"iCCP", named))
    longer = b"icc\0\0" + zlib.compress(PROFILE + MARKER)
    yield "behind the profile", _spliced(saved_plain("png"), 33, pictures.png_chunk(b"iCCP", longer))
    palette = pictures.encode(picture().quantize(16), "png")
    more = pictures.png_chunk(b"tRNS", MARKER)
    yield "transparency", _spliced(palette, palette.index(b"IDAT") - 4, more)
    moving = pictures.apng(3, *SIDES)
    yield "moving", _spliced(moving, 33, pictures.png_chunk(b"tEXt", b"a\0" + MARKER))
    yield "behind a moving end", moving + MARKER


def saved_plain(format: str, **options: object) -> bytes:
    return pictures.encode(picture(), format, **options)


def _png_rows() -> bytes:
    width, height = SIDES
    row = picture().tobytes()
    return b"".join(b"\0" + row[at : at + 3 * width] for at in range(0, 3 * width * height, 3 * width))


def _png_of(deflated: bytes) -> bytes:
    """A PNG with these compressed pixels, in two chunks."""
    header = struct.pack(">II5B", *SIDES, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", deflated[:100]), (b"IDAT", deflated[100:]), (b"IEND", b""))
    return pictures.PNG_SIGNATURE + b"".join(pictures.png_chunk(*chunk) for chunk in chunks)


def webps() -> Planted:
    data = saved("webp", exif=exif(), xmp=XMP, lossless=True)
    yield "EXIF and XMP", data
    yield "unknown chunk at the end", _riff(data[12:] + _riff_chunk(b"SECR", MARKER))
    yield "unknown chunk at the start", _riff(data[12:30] + _riff_chunk(b"SECR", MARKER) + data[30:])
    yield "second picture", _riff(data[12:] + _riff_chunk(b"VP8L", MARKER))
    yield "behind the length", data + MARKER
    for name, options in {"lossy": {}, "lossless": {"lossless": True}, "alpha": {"alpha": True}}.items():
        for kind in (b"ALPH", b"VP8 ", b"VP8L"):
            if kind in (whole := pictures.webp(*SIDES, **options)):
                yield f"behind {kind.decode()}, {name}", _riff(_longer_chunks(whole[12:], kind))
    yield "behind the pixels of frames", _riff(_longer_chunks(pictures.webp(*SIDES, frames=3)[12:], b"ANMF"))
    yield "behind the profile", pictures.encode(picture(), "webp", icc_profile=PROFILE + MARKER)
    plain = saved_plain("webp")
    yield "simple, unknown chunk", _riff(plain[12:] + _riff_chunk(b"EXIF", MARKER))
    yield "simple, behind the length", plain + MARKER
    moving = pictures.webp(*SIDES, frames=3, exif=exif(1), xmp=XMP)
    yield "moving", moving
    for kind in (b"EXIF", b"XMP ", b"SECR"):
        yield f"{kind.decode()} in frames", _riff(_in_frames(moving[12:], _riff_chunk(kind, MARKER)))
    canvas, rest = moving[20:30], moving[30:]
    yield "long canvas", _riff(_riff_chunk(b"VP8X", canvas + MARKER) + rest)
    animation = rest.index(b"ANIM")
    longer = _riff_chunk(b"ANIM", rest[animation + 8 : animation + 14] + MARKER)
    yield "long animation", _riff(moving[12:30] + rest[:animation] + longer + rest[animation + 14 :])


def _longer_chunks(body: bytes, kind: bytes) -> bytes:
    """The chunks of a WebP with the marker at the end of these; of frames at the end of their last chunk."""
    parts, at = [], 0
    while at < len(body):
        name, length = struct.unpack_from("<4sI", body, at)
        content = body[at + 8 : at + 8 + length]
        if name == kind == b"ANMF":
            inner = _longer_chunks(content[16:], b"VP8 ")
            content = content[:16] + _longer_chunks(inner, b"VP8L")
        parts.append(_riff_chunk(name, content + MARKER if name == kind != b"ANMF" else content))
        at += 8 + length + length % 2
    return b"".join(parts)


def _in_frames(body: bytes, more: bytes) -> bytes:
    """The chunks of a WebP with another one in each frame."""
    parts, at = [], 0
    while at < len(body):
        kind, length = struct.unpack_from("<4sI", body, at)
        content = body[at + 8 : at + 8 + length]
        parts.append(_riff_chunk(kind, content + b"\0" * (length % 2) + more if kind == b"ANMF" else content))
        at += 8 + length + length % 2
    return b"".join(parts)


def gifs() -> Planted:
    still = pictures.gif(*SIDES)
    moving = pictures.gif(*SIDES, frames=3, loop=3)
    for name, data in (("still", still), ("moving", moving)):
        start = 13 + (3 << (data[10] & 7) + 1)
        blocks = {
            "comment": b"\x21\xfe" + _sub_blocks(MARKER),
            "plain text": b"\x21\x01" + _sub_blocks(bytes(12))[:-1] + _sub_blocks(MARKER),
            "application": b"\x21\xff\x0bSECRETAPPL1" + _sub_blocks(MARKER),
            "XMP": b"\x21\xff\x0bXMP DataXMP" + XMP + bytes((1, *range(255, -1, -1), 0)),
            "unknown extension": b"\x21\x42" + _sub_blocks(MARKER),
            "loop": b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x03\0" + _sub_blocks(MARKER),
            "profile": b"\x21\xff\x0bICCRGBG1012" + _sub_blocks(PROFILE + MARKER),
            "no profile": b"\x21\xff\x0bICCRGBG1012" + _sub_blocks(MARKER * 20),
        }
        for block, content in blocks.items():
            yield f"{name}, {block}", _spliced(data, start, content)
        yield f"{name}, comment at the end", _spliced(data, len(data) - 1, blocks["comment"])
        yield f"{name}, behind the end", data + MARKER
        yield f"{name}, behind the pixels", data[:-2] + bytes((len(MARKER),)) + MARKER + b"\0;"


def bmps() -> Planted:
    indices = [[(x // 3 + y) % 2 for x in range(SIDES[0])] for y in range(SIDES[1])]
    colours = [(200, 100, 50), (50, 100, 200)]
    runs = bitmaps.bmp(indices, 8, compression=bitmaps.RLE8, palette=colours, coded=bitmaps.rle8(indices))
    for name, data in (
        ("RGB", pictures.encode(picture(), "bmp")),
        ("RGBA", pictures.encode(_translucent(), "bmp")),
        ("palette", pictures.encode(picture().convert("P"), "bmp")),
        ("run lengths", runs),
    ):
        yield f"{name}, behind the end", data + MARKER
    yield "before the pixels", bitmaps.bmp(indices, 8, palette=colours, gap=MARKER)


def icons() -> Planted:
    png = _spliced(saved("png"), 33, pictures.png_chunk(b"tEXt", b"Author\0" + MARKER))
    indices = [[(x // 3 + y) % 2 for x in range(SIDES[0])] for y in range(SIDES[1])]
    bitmap = bitmaps.icon_bitmap(indices, 4, indices, [(200, 100, 50), (50, 100, 200)])
    yield "a PNG", bitmaps.icon((*SIDES, 32, png))
    yield "a smaller PNG", bitmaps.icon((*SIDES, 4, bitmap), (9, 9, 32, png))
    yield "behind the end", bitmaps.icon((*SIDES, 4, bitmap)) + MARKER


def tiffs() -> Planted:
    for compression in (None, "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "zstd", "lzma"):
        more = {"exif": exif()} if compression is None else {}
        data = saved("tiff", compression=compression, description=TEXT, software=TEXT, artist=TEXT, **more)
        yield f"{compression}, entries", data
        yield f"{compression}, behind the end", data + MARKER
    group4 = pictures.encode(picture().convert("1"), "tiff", compression="group4", description=TEXT)
    yield "group4, entries", group4
    plain = pictures.encode(picture(), "tiff")
    for tag in (33723, 34377, 37724, 700, 50341, 65000, 42113):
        yield f"tag {tag}", tiff_with(plain, (tag, 7, len(MARKER), MARKER))
    at, length = tiff_number(plain, 273), len(plain) - 8
    for tag in (700, 33723, 34377, 34665, 34853, 330, 37500, 270):
        yield f"tag {tag} on the pixels", tiff_with(plain + MARKER, (tag, 1, length, at))
    yield "strip behind its pixels", _longer_strip(plain)
    yield "unreferenced", _unreferenced(plain)
    yield (
        "pages",
        pictures.encode(
            picture(), "tiff", save_all=True, append_images=[picture().rotate(180)], description=TEXT
        ),
    )
    yield (
        "thumbnail",
        tiff_with(plain, (330, 4, 1, struct.pack("<I", len(plain) + 1000)), tail=_thumbnail()),
    )


def tiff_entries(data: bytes) -> tuple[int, list[bytes]]:
    """The position of the first directory of a little-endian TIFF, and its entries of 12 bytes."""
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    return at, [data[at + 2 + 12 * n : at + 14 + 12 * n] for n in range(count)]


def tiff_with(data: bytes, *more: tuple[int, int, int, bytes | int], tail: bytes = b"") -> bytes:
    """A little-endian TIFF whose only directory is replaced by one at the end, with these entries more.

    Values are bytes, or where they are; `tail` is at 1000 bytes from the end of `data`.
    """
    _, entries = tiff_entries(data)
    replaced = {tag for tag, *_ in more}
    entries = [entry for entry in entries if struct.unpack_from("<H", entry)[0] not in replaced]
    body = data + bytes(len(data) % 2)
    for tag, kind, count, values in more:
        place = struct.pack("<I", values) if isinstance(values, int) else values
        if len(place) > 4:
            body, place = body + place + bytes(len(place) % 2), struct.pack("<I", len(body))
        entries.append(struct.pack("<HHI4s", tag, kind, count, place))
    entries.sort(key=lambda entry: struct.unpack_from("<H", entry))
    directory = struct.pack("<H", len(entries)) + b"".join(entries)
    whole = body[:4] + struct.pack("<I", len(body)) + body[8:] + directory + bytes(4)
    return whole.ljust(len(data) + 1000, b"\0") + tail if tail else whole


def tiff_number(data: bytes, tag: int) -> int:
    """The first value of an entry, in place or elsewhere."""
    entry = next(each for each in tiff_entries(data)[1] if struct.unpack_from("<H", each)[0] == tag)
    _, kind, count, value = struct.unpack("<HHII", entry)
    if count > 1:
        (value,) = struct.unpack_from("<H" if kind == 3 else "<I", data, value)
    return int(value) & (0xFFFF if kind == 3 else 0xFFFF_FFFF)


def _longer_strip(data: bytes) -> bytes:
    """All rows in one strip, which is longer than its pixels."""
    rows = picture().tobytes() + MARKER
    at = len(data) + len(data) % 2
    strip = struct.pack("<I", at)
    return tiff_with(
        data + bytes(len(data) % 2) + rows,
        (273, 4, 1, strip),
        (278, 4, 1, struct.pack("<I", SIDES[1])),
        (279, 4, 1, struct.pack("<I", len(rows))),
    )


def _unreferenced(data: bytes) -> bytes:
    return tiff_with(data + MARKER)


def _thumbnail() -> bytes:
    return struct.pack("<H", 1) + struct.pack("<HHII", 270, 2, 4, 0) + bytes(4) + MARKER


def avifs() -> Planted:
    for name, data in (
        ("opaque", saved("avif", exif=exif(1), xmp=XMP, quality=80)),
        ("alpha", pictures.encode(_translucent(), "avif", exif=exif(1), xmp=XMP, icc_profile=PROFILE)),
    ):
        yield f"{name}, items", data
        yield from _boxes(name, data)
    plain = strip(saved("avif"), Format.AVIF)
    for kind in (5, 9, 15):
        unit = bytes((kind << 3 | 2, len(MARKER))) + MARKER
        yield f"OBU {kind}", _longer_item(plain, unit)


def heics() -> Planted:
    for name, image in (("opaque", picture()), ("alpha", _translucent())):
        data = extra_pictures.heic(image, exif=exif(1), xmp=XMP, icc_profile=PROFILE, thumbnails=[16])
        yield f"{name}, items", data
        yield from _boxes(name, data)
    plain = strip(extra_pictures.heic(picture(), icc_profile=PROFILE), Format.HEIC)
    for kind in (35, 38, 39, 40, 41, 48, 63):
        unit = bytes((kind << 1, 1)) + MARKER
        yield f"NAL unit {kind}", _longer_item(plain, struct.pack(">I", len(unit)) + unit)


def _boxes(name: str, data: bytes) -> Planted:
    for kind in (b"free", b"skip", b"uuid", b"udta", b"SECR", b"mpvd"):
        yield f"{name}, {kind.decode()} at the end", data + _box(kind, MARKER)
        yield f"{name}, {kind.decode()} in meta", _in_meta(data, _box(kind, MARKER))
    yield f"{name}, in mdat", _longer_box(data, b"mdat")


def _in_meta(data: bytes, more: bytes) -> bytes:
    """The file with a box more in `meta`; what is behind moves, so `mdat` follows at its old place.

    A copy of all but `ftyp` and `meta` stays where it was: the new `meta` is at the end.
    """
    at = data.index(b"meta") - 4
    (length,) = struct.unpack_from(">I", data, at)
    meta = data[at + 8 : at + length] + more
    hidden = data[:at] + struct.pack(">I4s", length, b"free") + data[at + 8 :]
    return hidden + _box(b"meta", meta)


def _longer_box(data: bytes, kind: bytes, more: bytes = MARKER) -> bytes:
    """The file, whose last box is of this type, with more at its end."""
    at = data.index(kind) - 4
    (length,) = struct.unpack_from(">I", data, at)
    assert at + length == len(data)
    return data[:at] + struct.pack(">I", length + len(more)) + data[at + 4 :] + more


def _longer_item(data: bytes, more: bytes) -> bytes:
    """An AVIF or HEIC as `strip` writes it, of one item, with more at the end of the item's data."""
    at = data.index(b"iloc") + 4 + 4 + 2 + 2 + 6 + 4
    (length,) = struct.unpack_from(">I", data, at)
    return _longer_box(data[:at] + struct.pack(">I", length + len(more)) + data[at + 4 :], b"mdat", more)


def jxls() -> Planted:
    codestream = extra_pictures.jxl(picture(), icc_profile=PROFILE)
    head = b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0\0\0\x14ftypjxl \0\0\0\0jxl "
    half = len(codestream) // 2
    parts = _box(b"jxlp", bytes(4) + codestream[:half]) + _box(b"jxlp", b"\x80\0\0\1" + codestream[half:])
    for kind in (b"Exif", b"xml ", b"jumb", b"brob", b"jbrd", b"jxli", b"SECR", b"free", b"uuid"):
        secret = _box(kind, bytes(4) + MARKER)
        yield f"{kind.decode()} in front", head + secret + _box(b"jxlc", codestream)
        yield f"{kind.decode()} behind", head + _box(b"jxlc", codestream) + secret
        yield f"{kind.decode()} between", head + parts[: half + 12] + secret + parts[half + 12 :]
    yield "third part", head + parts + _box(b"jxlp", b"\0\0\0\2" + MARKER)


def svgs() -> Planted:
    drawn = extra_pictures.corners_svg().decode()
    at = drawn.index(">") + 1
    inside = {
        "title": f"<title>{TEXT}</title>",
        "desc": f"<desc>{TEXT}</desc>",
        "metadata": f"<metadata>{TEXT}<x:a xmlns:x='urn:x'>{TEXT}</x:a></metadata>",
        "comment": f"<!-- {TEXT} -->",
        "instruction": f"<?secret {TEXT}?>",
        "foreign element": f"<i:l xmlns:i='urn:i' name='{TEXT}'><rect width='80' height='60'/>{TEXT}</i:l>",
        "foreign attribute": f"<g xmlns:i='urn:i' i:label='{TEXT}'/>",
        "namespace": f"<g xmlns:i='urn:{TEXT}'/>",
        "data attribute": f"<g data-name='{TEXT}' aria-label='{TEXT}' role='{TEXT}' onclick='{TEXT}'/>",
        "unknown element": f"<secret a='{TEXT}'>{TEXT}</secret>",
        "unknown attribute": f"<g secret='{TEXT}'/>",
        "identifier": f"<g id='{TEXT}' class='{TEXT}'/>",
        "text outside": f"<g>{TEXT}</g>{TEXT}",
        "script": f"<script>{TEXT}</script>",
        "xlink": f"<g xmlns:l='http://www.w3.org/1999/xlink' l:title='{TEXT}' l:href='file:///{TEXT}'/>",
        "style comment": f"<style>/* {TEXT} */ rect {{ opacity: 1 /* {TEXT} */ }}</style>",
        "style attribute": f"<rect style='-inkscape-x:{TEXT};/*{TEXT}*/;--y:{TEXT}'/>",
        "other program": f"<foreignObject requiredExtensions='urn:x'>{TEXT}</foreignObject>",
        "embedded JPEG": _embedded(pictures.encode(picture(), "jpeg", exif=exif()), "jpeg"),
        "embedded PNG": _embedded(pictures.png_chunk(b"tEXt", b"a\0" + MARKER), "png"),
    }
    for place, more in inside.items():
        yield place, (drawn[:at] + more + drawn[at:]).encode()
        yield f"{place}, UTF-16", (drawn[:at] + more + drawn[at:]).encode("utf-16")
    yield "behind the end", f"{drawn}<!--{TEXT}-->".encode()
    yield "declaration", f"<?xml version='1.0'?><!--{TEXT}-->{drawn}".encode()
    subset = f"<!ENTITY a '{TEXT}'><!ENTITY w '80'><!NOTATION n SYSTEM '{TEXT}'><!-- {TEXT} -->"
    document = f"<!DOCTYPE svg PUBLIC '{TEXT}' '{TEXT}' [{subset}]>{drawn}"
    yield "document type", document.encode()


def _embedded(content: bytes, kind: str) -> str:
    if kind == "png":
        png = pictures.png(8, 8)
        content = png[:33] + content + png[33:]
    return f"<image width='20' height='15' href='data:image/{kind};base64,{b64encode(content).decode()}'/>"


PLANTED: dict[Format, Callable[[], Planted]] = {
    Format.JPEG: jpegs,
    Format.PNG: pngs,
    Format.WEBP: webps,
    Format.GIF: gifs,
    Format.TIFF: tiffs,
    Format.BMP: bmps,
    Format.ICO: icons,
    Format.AVIF: avifs,
    Format.HEIC: heics,
    Format.JXL: jxls,
    Format.SVG: svgs,
}


def _translucent() -> Image.Image:
    return pictures.translucent(*SIDES)


def _spliced(data: bytes, at: int, more: bytes) -> bytes:
    return data[:at] + more + data[at:]


def _all(data: bytes, wanted: bytes) -> Iterator[int]:
    at = data.find(wanted)
    while at >= 0:
        yield at
        at = data.find(wanted, at + 1)


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, 2 + len(content)) + content


def _riff(body: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def _riff_chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def _sub_blocks(content: bytes) -> bytes:
    pieces = (content[at : at + 255] for at in range(0, len(content), 255))
    return b"".join(bytes((len(piece),)) + piece for piece in pieces) + b"\0"


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content
