"""The image formats, as a table: one row for each, with everything that differs between them."""

import enum
import re
from collections.abc import Callable, Mapping

from msgspec import Struct

HEAD_BYTES = 64 * 1024
"""The bytes that decide the format: the root of an SVG begins within them, whatever comments precede it."""

PROGRESSIVE_PIXELS = 300_000  # smaller JPEGs load so fast that progressive makes no difference

Option = float | str | bool


class Format(enum.StrEnum):
    """The formats accepted as originals; HEIC, JXL and SVG only if their extra is installed."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    GIF = "gif"
    AVIF = "avif"
    TIFF = "tiff"
    BMP = "bmp"
    ICO = "ico"
    HEIC = "heic"
    JXL = "jxl"
    SVG = "svg"


class FormatSpec(Struct, frozen=True, kw_only=True):
    """The properties of one format.

    Attributes:
        extensions: lower case, without the dot; the first is the canonical one.
        loader: the libvips operation that reads a file; with the suffix `_buffer` it reads memory. None: it
            is read by an optional package, or by us.
        verify_options: load options with which verification decodes all data as cheaply as possible.
        saver: the libvips operation that writes it, or the writer of the package; None: source only.
        save_options: save options for every recipe.
        size_options: more save options by size of the result: pairs of a minimum (pixels of all frames) and
            options, of which the last that applies is used. They bound the time of large renditions, and
            give small ones a better encoding.
        lossless: additional save options for lossless encoding; None: not possible.
        quality: default of the saver's Q (1 to 100); None: it has no quality.
        max_side: the longest side the saver can write, in pixels.
        has_alpha: whether a rendition can be transparent.
        animated: whether a file can have several frames.
        can_animate: whether we read and write all frames.
        package: the Python package it needs, installed by the extra with the format's name; None: nothing.
        web_safe: whether all browsers show it, so that a rendition keeps the source's format.
        can_contain_scripts: whether a file can contain scripts.
    """

    format: Format
    name: str
    media_type: str
    extensions: tuple[str, ...]
    loader: str | None
    verify_options: Mapping[str, Option]
    saver: str | None
    save_options: Mapping[str, Option]
    size_options: tuple[tuple[int, Mapping[str, Option]], ...]
    lossless: Mapping[str, Option] | None
    quality: int | None
    max_side: int
    has_alpha: bool
    animated: bool
    can_animate: bool
    package: str | None = None
    web_safe: bool = True
    can_contain_scripts: bool = False


SPECS = (
    FormatSpec(
        format=Format.JPEG,
        name="JPEG",
        media_type="image/jpeg",
        extensions=("jpg", "jpeg", "jpe", "jfif"),
        loader="jpegload",
        verify_options={},
        saver="jpegsave",
        # Optimised: 3 % smaller. "auto": no chroma subsampling from quality 90 on, for 30 % more bytes.
        save_options={"optimize_coding": True, "subsample_mode": "auto"},
        # Progressive: at 512 x 512 1 to 5 % smaller, for as much time again as all of the encoding.
        size_options=((0, {"interlace": False}), (PROGRESSIVE_PIXELS, {"interlace": True})),
        lossless=None,
        quality=82,
        max_side=65_500,  # JPEG_MAX_DIMENSION of libjpeg's jmorecfg.h
        has_alpha=False,
        animated=False,
        can_animate=False,
    ),
    FormatSpec(
        format=Format.PNG,
        name="PNG",
        media_type="image/png",
        extensions=("png", "apng"),
        loader="pngload",
        verify_options={},
        saver="pngsave",
        save_options={"interlace": False, "bitdepth": 8},  # png_saver chooses the others
        size_options=(),
        lossless={},
        quality=None,
        max_side=2**31 - 1,
        has_alpha=True,
        animated=True,
        can_animate=False,  # libvips doesn't support APNG
    ),
    FormatSpec(
        format=Format.WEBP,
        name="WebP",
        media_type="image/webp",
        extensions=("webp",),
        loader="webpload",
        verify_options={"n": -1},
        saver="webpsave",
        save_options={},
        # At the same quality effort 2 takes half the time of 4, but is 4 % larger and visibly worse:
        # 11 % larger at equal SSIM.
        size_options=((0, {"effort": 4}), (1_000_000, {"effort": 2})),
        lossless={"lossless": True, "exact": True, "effort": 1},  # a third of effort 4's time, 5 % larger
        quality=80,
        max_side=16_383,  # 14 bits, RFC 9649
        has_alpha=True,
        animated=True,
        can_animate=True,
    ),
    FormatSpec(
        format=Format.GIF,
        name="GIF",
        media_type="image/gif",
        extensions=("gif",),
        loader="gifload",
        verify_options={"n": -1},
        saver="gifsave",
        save_options={},
        # Effort 4 takes a third of the time of 7 for 4 % more bytes, and 1 an eighth.
        size_options=((0, {"effort": 4}), (4_000_000, {"effort": 1})),
        lossless=None,
        quality=None,
        max_side=65_535,  # 16 bits, GIF89a
        has_alpha=True,
        animated=True,
        can_animate=True,
    ),
    FormatSpec(
        format=Format.AVIF,
        name="AVIF",
        media_type="image/avif",
        extensions=("avif", "avifs"),
        loader="heifload",
        verify_options={},
        saver="heifsave",
        # No chroma subsampling, for 5 % more bytes: at equal bytes SSIMULACRA2 is 1.4 higher on average from
        # quality 50 on (-0.5 to 3), and the same below.
        save_options={"compression": "av1", "bitdepth": 8, "subsample_mode": "off"},
        # For 512 x 512 and in CPU time effort 0, 1, 2, 3, 4 take 15, 55, 95, 160, 770 ms; against 4 they are
        # 19, 3, 2, 0, 0 % larger.
        size_options=((0, {"effort": 2}), (500_000, {"effort": 1}), (2_000_000, {"effort": 0})),
        lossless={"lossless": True, "effort": 0},
        quality=60,
        max_side=16_384,  # the limit of libvips' heifsave
        has_alpha=True,
        animated=False,  # only the primary image of a sequence is used
        can_animate=False,
    ),
    FormatSpec(
        format=Format.TIFF,
        name="TIFF",
        media_type="image/tiff",
        extensions=("tif", "tiff"),
        loader="tiffload",
        verify_options={},
        saver=None,
        save_options={},
        size_options=(),
        lossless=None,
        quality=None,
        max_side=0,
        has_alpha=True,
        animated=False,  # only the first page is used
        can_animate=False,
        web_safe=False,
    ),
    FormatSpec(
        format=Format.BMP,
        name="BMP",
        media_type="image/bmp",
        extensions=("bmp", "dib"),
        loader=None,
        verify_options={},
        saver=None,
        save_options={},
        size_options=(),
        lossless=None,
        quality=None,
        max_side=0,
        has_alpha=True,
        animated=False,
        can_animate=False,
        web_safe=False,  # browsers show it, but it isn't compressed
    ),
    FormatSpec(
        format=Format.ICO,
        name="ICO",
        media_type="image/vnd.microsoft.icon",
        extensions=("ico",),
        loader=None,
        verify_options={},
        saver=None,
        save_options={},
        size_options=(),
        lossless=None,
        quality=None,
        max_side=0,
        has_alpha=True,
        animated=False,  # only the largest picture is used
        can_animate=False,
        web_safe=False,
    ),
    FormatSpec(
        format=Format.HEIC,
        name="HEIC",
        media_type="image/heic",
        extensions=("heic", "heif", "hif"),
        loader=None,
        verify_options={},
        saver=None,
        save_options={},
        size_options=(),
        lossless=None,
        quality=None,
        max_side=0,
        has_alpha=True,
        animated=False,  # only the primary image is used
        can_animate=False,
        package="pillow_heif",
        web_safe=False,
    ),
    FormatSpec(
        format=Format.JXL,
        name="JXL",
        media_type="image/jxl",
        extensions=("jxl",),
        loader=None,
        verify_options={},
        saver="jxl",
        # Of 1 to 10. Effort 4 takes a quarter of the time for 50 % more bytes, effort 7 twice the time.
        save_options={"effort": 5},
        size_options=(),
        lossless={"lossless": True},
        quality=80,
        max_side=65_535,  # the format allows more, but no limits here do
        has_alpha=True,
        animated=False,
        can_animate=False,
        package="pillow_jxl",
        web_safe=False,
    ),
    FormatSpec(
        format=Format.SVG,
        name="SVG",
        media_type="image/svg+xml",
        extensions=("svg",),
        loader=None,
        verify_options={},
        saver=None,
        save_options={},
        size_options=(),
        lossless=None,
        quality=None,
        max_side=0,
        has_alpha=True,
        animated=False,
        can_animate=False,
        package="py_svg_hush",
        web_safe=False,
        can_contain_scripts=True,
    ),
)
BY_FORMAT = {entry.format: entry for entry in SPECS}

SIGNATURES = (
    (b"\xff\xd8\xff", Format.JPEG),
    (b"\x89PNG\r\n\x1a\n", Format.PNG),
    (b"GIF87a", Format.GIF),
    (b"GIF89a", Format.GIF),
    (b"II*\0", Format.TIFF),
    (b"MM\0*", Format.TIFF),
    (b"II+\0\x08\0\0\0", Format.TIFF),  # BigTIFF
    (b"MM\0+\0\x08\0\0", Format.TIFF),
    (b"\xff\x0a", Format.JXL),
    (b"\0\0\0\x0cJXL \r\n\x87\n", Format.JXL),
)
AVIF_BRANDS = frozenset({b"avif", b"avis"})
HEIF_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
)
BMP_HEADERS = frozenset((12, 16, 40, 52, 56, 64, 108, 124))
"""Sizes of the second header of BMP: two letters alone would be the beginning of many a text."""
# What may precede the root element (XML 1.0, 2.8): declaration, comments, processing instructions, a document
# type. Atomic groups and possessive quantifiers: no backtracking, whatever the input; the end of a comment is
# looked for once.
XML_PROLOGUE = (
    rb"\xef?\xbb?\xbf?(?>\s|<\?.*?\?>|<!--.*?-->"
    rb"""|<!DOCTYPE(?>[^\[>"']|"[^"]*"|'[^']*')*+"""
    rb"""(?:\[(?>[^\]<"']|"[^"]*"|'[^']*'|<!--.*?-->|<(?!!--))*+\]\s*)?>)*+"""
)
SVG_ROOT = re.compile(XML_PROLOGUE + rb"<(?:[\w.-]+:)?svg[\s/>]", re.DOTALL)


def spec(format: Format) -> FormatSpec:
    """The properties of a format."""
    return BY_FORMAT[format]


def sniff(head: bytes) -> Format | None:
    """The format according to the first bytes (`HEAD_BYTES` of them suffice); None if unknown.

    File names and media types are never used: the sender can claim anything.
    """
    for signature, format_ in SIGNATURES:
        if head.startswith(signature):
            return format_
    return next((format_ for format_, fits in CHECKS if fits(head)), None)


def _looks_like_icon(head: bytes) -> bool:
    """Whether it begins with a directory of icons, and the first picture is behind it."""
    count, offset = int.from_bytes(head[4:6], "little"), int.from_bytes(head[18:22], "little")
    # The length of a box of ISO-BMFF may be the same four bytes.
    return head.startswith(b"\0\0\1\0") and count > 0 and offset >= 6 + 16 * count and head[4:8] != b"ftyp"


CHECKS: tuple[tuple[Format, Callable[[bytes], object]], ...] = (
    (Format.WEBP, lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP"),
    (Format.AVIF, lambda head: AVIF_BRANDS.intersection(brands(head))),
    (Format.HEIC, lambda head: HEIF_BRANDS.intersection(brands(head))),
    (Format.BMP, lambda head: head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in BMP_HEADERS),
    (Format.ICO, _looks_like_icon),
    (Format.SVG, lambda head: SVG_ROOT.match(ascii_text(head))),
)
"""What tells the other formats, in this order."""


def extension_fits(format: Format, extension: str) -> bool:
    """Whether the extension (with or without its dot, in either case) belongs to the format."""
    return extension.removeprefix(".").lower() in spec(format).extensions


def ascii_text(head: bytes) -> bytes:
    """ASCII text in UTF-16 converted to ASCII; everything else unchanged."""
    return head[2:].replace(b"\0", b"") if head.startswith((b"\xff\xfe", b"\xfe\xff")) else head


def brands(head: bytes) -> tuple[bytes, ...]:
    """The major and compatible brands of an ISO-BMFF file (ISO/IEC 14496-12, 4.3); () if it is none."""
    if head[4:8] != b"ftyp":
        return ()
    box = head[: int.from_bytes(head[:4])]
    compatible = (box[at : at + 4] for at in range(16, len(box) - 3, 4))
    return (box[8:12], *compatible)
