"""What a file is, before it is taken in: first from its header alone, then from all of its data."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import BinaryIO

import pyvips
from msgspec import Struct

from tintype.imaging import gif_blocks, heic, jxl, png_chunks, svg
from tintype.imaging.errors import ImageRefused, Reason, size_in_words
from tintype.imaging.extras import require
from tintype.imaging.formats import HEAD_BYTES, Format, row, sniff
from tintype.imaging.placeholder import Placeholder, placeholder
from tintype.imaging.source import Source, content, length, opened
from tintype.imaging.strangers import unsupported
from tintype.imaging.vips import decoding, open_image

FIRST_TURNED = 5  # EXIF orientations 5 to 8 are stored lying on their side
ORIENTATIONS = range(1, 9)
RGB_BANDS = 3
BITS = MappingProxyType({"uchar": 8, "char": 8, "ushort": 16, "short": 16})
MOST_BITS = 64  # of others; floats among them have 32, and are rare
MULTISCAN, SUBSAMPLING = "jpeg-multiscan", "jpeg-chroma-subsample"
STRIP_LINES = 128  # of longer strips libvips takes line by line, as libtiff decodes them
ENOUGH = 64  # pixels of a side that a placeholder is made from
SHORTEST_TO_SHRINK = 8  # a shorter side can't be decoded at an eighth


class Limits(Struct, frozen=True, kw_only=True):
    """What is accepted as an original: pixels of a frame, of a side; frames; pixels of all frames.

    `max_whole_pixels` takes the place of `max_pixels` where a picture is decoded whole before its first line
    is there, and `max_svg_bytes` bounds what is parsed as XML.
    """

    max_pixels: int = 100_000_000
    max_whole_pixels: int = 50_000_000
    max_side: int = 20_000
    max_frames: int = 1000
    max_total_pixels: int = 400_000_000
    max_svg_bytes: int = 10 * 1024 * 1024


class Facts(Struct, frozen=True, kw_only=True):
    """What the header says; the size, in pixels, is as people see it: with the EXIF orientation applied.

    Attributes:
        bands: channels as they are decoded, alpha included.
        bits: of a channel as it is decoded: 8, 16 or 32.
        buffered: how many samples (pixels times channels) have to be decoded before the first line is there:
            the coefficients of a progressive JPEG, all of an interlaced PNG, a row of tiles of a TIFF. It is
            0 where lines come one by one, and where the format is always decoded whole.
        bytes: of the file.
        placeholder: isn't in a header: whoever decoded the picture adds it.
    """

    format: Format
    width: int
    height: int
    frames: int
    has_alpha: bool
    orientation: int
    bands: int = 3
    bits: int = 8
    buffered: int = 0
    bytes: int = 0
    placeholder: Placeholder | None = None

    @property
    def is_animated(self) -> bool:
        """Whether there is more than one frame."""
        return self.frames > 1

    @property
    def is_decoded_whole(self) -> bool:
        """Whether all of a frame is decoded, and held, before its first line is there."""
        # Of a progressive JPEG whose chroma is halved there are half as many samples.
        return self.format in WHOLE or 2 * self.buffered >= self.width * self.height * self.bands


DEFAULT_LIMITS = Limits()
WHOLE = frozenset({Format.WEBP, Format.GIF, Format.AVIF, Format.HEIC, Format.JXL, Format.SVG})
"""Formats that are always decoded whole."""

# What libvips doesn't see of a format's wholeness.
STRUCTURE_CHECKS: Mapping[Format, Callable[[BinaryIO], None]] = MappingProxyType(
    {Format.PNG: png_chunks.check_complete, Format.GIF: gif_blocks.check_complete}
)


def inspect(source: Source, limits: Limits | None = DEFAULT_LIMITS) -> Facts:
    """The facts of a picture, from its header: no pixel is decoded, so a bomb costs nothing.

    Raises ImageRefused: unsupported, damaged, or beyond a limit (None is no limit). OSError when a path
    can't be read.
    """
    format_ = recognise(source)
    if format_ is Format.SVG:
        _check_svg_bytes(source, (limits or DEFAULT_LIMITS).max_svg_bytes)
    with decoding():
        facts = _facts_unseen(source, format_) or _facts(source, format_, open_image(source, format_))
    if limits is not None:
        check_limits(facts, limits)
    return facts


def verify(source: Source, facts: Facts) -> Placeholder:
    """Decode everything once, in little memory, and answer what can be shown until the picture is there.

    Raises ImageRefused: damaged, when it is cut or broken; too costly. What decoders pass over is passed
    over: bytes behind the end, unknown chunks. Of a TIFF only the first page is read, of an AVIF or HEIC only
    the primary image.
    """
    if check := STRUCTURE_CHECKS.get(facts.format):
        with opened(source) as file:
            check(file)
    with decoding():
        return placeholder(_shrunk(_all_read(source, facts)))


def recognise(source: Source) -> Format:
    """The format, by the first bytes; ImageRefused (unsupported) when it is none that is read here."""
    with opened(source) as file:
        head = file.read(HEAD_BYTES)
    format_ = sniff(head)
    if format_ is None:
        raise unsupported(head)
    require(row(format_))
    return format_


def _all_read(source: Source, facts: Facts) -> pyvips.Image:
    """The picture, opened so that whoever reads all of it has read all of the file."""
    options = row(facts.format).load_all
    if min(facts.width, facts.height) < SHORTEST_TO_SHRINK:
        # libvips would be left with no pixel, and call the picture broken.
        options = {name: value for name, value in options.items() if name != "shrink"}
    image = open_image(source, facts.format, **options)
    if facts.is_animated and "n" in options:
        # A strip of all frames, of which only the first is to be seen.
        image.avg()
        image = open_image(source, facts.format)
    return image


def _shrunk(image: pyvips.Image) -> pyvips.Image:
    """All of the picture read, and one or two times `ENOUGH` pixels of its longer side kept.

    With `ceil` what is left over at the edges counts too, so that no line remains unread.
    """
    factor = max(image.width, image.height) // ENOUGH
    if factor <= 1:
        return image.copy_memory()
    if not image.hasalpha():
        return image.shrink(factor, factor, ceil=True).copy_memory()
    format_ = image.format
    weighed = image.premultiply().shrink(factor, factor, ceil=True)
    return weighed.copy_memory().unpremultiply().cast(format_)


def _facts_unseen(source: Source, format_: Format) -> Facts | None:
    """The facts where a package reads the format, upright; None where libvips does."""
    if row(format_).loader is not None:
        return None
    width, height, has_alpha = HEADERS[format_](source)
    return Facts(
        format=format_,
        width=width,
        height=height,
        frames=1,
        has_alpha=has_alpha,
        orientation=1,
        bands=RGB_BANDS + has_alpha,
        bytes=length(source),
    )


def _facts(source: Source, format_: Format, image: pyvips.Image) -> Facts:
    orientation = _orientation(image)
    sides = (image.width, image.height)
    width, height = reversed(sides) if orientation >= FIRST_TURNED else sides
    return Facts(
        format=format_,
        width=width,
        height=height,
        frames=_frames(source, format_, image),
        has_alpha=bool(image.hasalpha()),
        orientation=orientation,
        bands=image.bands,
        bits=BITS.get(image.format, MOST_BITS),
        buffered=_buffered(image, format_),
        bytes=length(source),
    )


def _buffered(image: pyvips.Image, format_: Format) -> int:
    """How many samples are decoded before the first line is there, where the header decides that."""
    samples = int(image.width * image.height * image.bands)
    match format_:
        case Format.JPEG:
            subsampled = image.get_typeof(SUBSAMPLING) and image.get(SUBSAMPLING) == "4:2:0"
            progressive = image.get_typeof(MULTISCAN) and image.get(MULTISCAN)
            return (samples // 2 if subsampled else samples) if progressive else 0
        case Format.PNG:
            return samples if image.get_typeof("interlaced") else 0
        case Format.TIFF:
            lines = int(image.get("tile-height")) if image.get_typeof("tile-height") else STRIP_LINES
            return min(samples, int(lines * image.width * image.bands))
    return 0


def _orientation(image: pyvips.Image) -> int:
    """The EXIF orientation, 1 to 8; anything else a file may say counts as 1, upright."""
    value = int(image.get("orientation")) if image.get_typeof("orientation") else 1
    return value if value in ORIENTATIONS else 1


def _frames(source: Source, format_: Format, image: pyvips.Image) -> int:
    if format_ is Format.PNG:
        with opened(source) as file:
            return png_chunks.frames(file)
    if row(format_).animated and image.get_typeof("n-pages"):
        return int(image.get("n-pages"))  # not get_n_pages(), which takes more than 10,000 for 1
    return 1


def check_limits(facts: Facts, limits: Limits) -> None:
    """Raise ImageRefused at the first limit that the picture goes beyond."""
    has = f"The picture has {size_in_words(facts.width, facts.height)} pixels"
    pixels = facts.width * facts.height
    if max(facts.width, facts.height) > limits.max_side:
        raise ImageRefused(Reason.TOO_LARGE_SIDE, f"{has}; at most {limits.max_side} a side are accepted.")
    if pixels > limits.max_pixels:
        raise ImageRefused(Reason.TOO_MANY_PIXELS, f"{has}; at most {limits.max_pixels} are accepted.")
    if facts.is_decoded_whole and pixels > limits.max_whole_pixels:
        sentence = (
            f"{has}; at most {limits.max_whole_pixels} are accepted where all have to be decoded at once, "
            f"as in this {row(facts.format).name}."
        )
        raise ImageRefused(Reason.TOO_MANY_PIXELS, sentence)
    if facts.frames > limits.max_frames:
        sentence = f"The picture has {facts.frames} frames; at most {limits.max_frames} are accepted."
        raise ImageRefused(Reason.TOO_MANY_FRAMES, sentence)
    if pixels * facts.frames > limits.max_total_pixels:
        sentence = (
            f"{has} in each of {facts.frames} frames; at most {limits.max_total_pixels} in all are accepted."
        )
        raise ImageRefused(Reason.TOO_MANY_PIXELS, sentence)


def _check_svg_bytes(source: Source, most: int) -> None:
    """Raise ImageRefused (too costly) for an SVG that is too large to be parsed."""
    if length(source) > most:
        raise ImageRefused(
            Reason.TOO_COSTLY, f"The SVG has {length(source)} bytes; at most {most} are accepted."
        )


def _jxl_header(source: Source) -> tuple[int, int, bool]:
    with opened(source) as file:
        return jxl.header(file)


HEADERS: Mapping[Format, Callable[[Source], tuple[int, int, bool]]] = MappingProxyType(
    {
        Format.HEIC: lambda source: heic.header(content(source)),
        Format.JXL: _jxl_header,
        Format.SVG: lambda source: (*svg.size(content(source)), True),
    }
)
