"""What is known of each format: a row in a table, not a branch."""

import enum
import re
from collections.abc import Mapping

from msgspec import Struct

HEAD_BYTES = 4096  # enough for the brands of any sensible `ftyp` box, and for the prologue of an XML file

PROGRESSIVE_PIXELS = 300_000  # a smaller JPEG is there at once, progressive or not

Option = float | str | bool


class Format(enum.StrEnum):
    """The formats accepted as originals; the last three where their extra is installed."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    GIF = "gif"
    AVIF = "avif"
    TIFF = "tiff"
    HEIC = "heic"
    JXL = "jxl"
    SVG = "svg"


class FormatSpec(Struct, frozen=True, kw_only=True):
    """What is known of one format.

    Attributes:
        extensions: without the dot, lower case; the first is the canonical one.
        loader: libvips' operation that reads it from a file; with `_buffer` behind it, from memory. None: it
            is read by a package of its own, in a process of its own.
        load_all: options by which a load for checking passes over all the data, as cheaply as it can.
        saver: libvips' operation that writes it, or the writer of the package; None: accepted as a source
            only.
        save_options: options of the saver, whatever the recipe.
        by_pixels: more of them, by the size of the result (pixels of all its frames): those of the last
            entry that isn't larger. So the time stays bounded, and small pictures get the better encoding.
        lossless: options on top by which every pixel stays as it is; None: the format can't.
        quality: the default of the saver's Q (1..100); None: it has no such thing.
        max_side: the longest side the saver can write, in pixels.
        has_alpha: whether a rendition in it can be transparent.
        animated: whether a file of it can hold several frames.
        moves: whether all its frames are read, and written.
        package: what has to be installed for it, by the extra that has the format's name; None: nothing more.
        for_pages: whether browsers show it, so that renditions follow a source in it.
        scripts: whether a file of it can bear scripts.
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
        verify_options={"shrink": 8},  # the entropy decoder still runs over every byte; only the DCT is saved
        saver="jpegsave",
        # Optimised: 3 % smaller. From quality 90 on chroma is kept whole, which costs 30 % of bytes.
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
        save_options={"interlace": False, "bitdepth": 8},  # the rest is for png_saver to choose
        size_options=(),
        lossless={},
        quality=None,
        max_side=2**31 - 1,
        has_alpha=True,
        animated=True,
        can_animate=False,  # APNG isn't known to libvips
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
        # Chroma is kept whole, for 5 % of bytes: at equal bytes SSIMULACRA2 is 1.4 higher with it on average
        # from quality 50 on (-0.5 to 3), and the same below.
        save_options={"compression": "av1", "bitdepth": 8, "subsample_mode": "off"},
        # For 512 x 512 and in CPU time effort 0, 1, 2, 3, 4 take 15, 55, 95, 160, 770 ms; against 4 they are
        # 19, 3, 2, 0, 0 % larger.
        size_options=((0, {"effort": 2}), (500_000, {"effort": 1}), (2_000_000, {"effort": 0})),
        lossless={"lossless": True, "effort": 0},
        quality=60,
        max_side=16_384,  # libvips' heifsave refuses more
        has_alpha=True,
        animated=False,  # of a sequence we take the primary image
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
        animated=False,  # of several pages we take the first
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
        animated=False,  # of several we take the primary image
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
        # Of 10. With 4 it takes a quarter of the time and half as many bytes again, with 7 twice the time.
        save_options={"effort": 5},
        size_options=(),
        lossless={"lossless": True},
        quality=80,
        max_side=65_535,  # the format has room for more; nobody for the pixels
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
# What may stand before the root element: the declaration, comments, a document type, other instructions.
# Every piece is matched once and for all (`?>`, `*+`), so that no input makes the search long.
SVG_ROOT = re.compile(
    rb"\xef?\xbb?\xbf?(?>\s|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[[^\]]*\]\s*)?>)*+<(?:[\w.-]+:)?svg[\s/>]",
    re.DOTALL,
)


def spec(format: Format) -> FormatSpec:
    """What is known of the format."""
    return BY_FORMAT[format]


def sniff(head: bytes) -> Format | None:
    """The format the first bytes (at best `HEAD_BYTES` of them) say, or None when it is none of ours.

    Names and media types are never asked: they are claims of the sender.
    """
    for signature, format_ in SIGNATURES:
        if head.startswith(signature):
            return format_
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Format.WEBP
    if AVIF_BRANDS.intersection(brands(head)):
        return Format.AVIF
    if HEIF_BRANDS.intersection(brands(head)):
        return Format.HEIC
    return Format.SVG if SVG_ROOT.match(_one_byte(head)) else None


def extension_fits(format: Format, extension: str) -> bool:
    """Whether files of the format use the extension; with or without its dot, in any case."""
    return extension.removeprefix(".").lower() in spec(format).extensions


def _one_byte(head: bytes) -> bytes:
    """Text in UTF-16 as if it were in ASCII, as far as it can be; all else as it is."""
    return head[2:].replace(b"\0", b"") if head.startswith((b"\xff\xfe", b"\xfe\xff")) else head


def brands(head: bytes) -> tuple[bytes, ...]:
    """The major and the compatible brands of an ISO-BMFF file (ISO/IEC 14496-12, 4.3); () when it is none."""
    if head[4:8] != b"ftyp":
        return ()
    box = head[: int.from_bytes(head[:4])]
    compatible = (box[at : at + 4] for at in range(16, len(box) - 3, 4))
    return (box[8:12], *compatible)
