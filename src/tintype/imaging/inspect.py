"""What a file is, before it is taken in: first from its header alone, then from all of its data."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import pyvips
from msgspec import Struct
from msgspec.structs import replace

from tintype.imaging import heic
from tintype.imaging.errors import ImageRefused, Reason, size_in_words
from tintype.imaging.extras import require
from tintype.imaging.formats import HEAD_BYTES, Format, row, sniff
from tintype.imaging.headers import Header, check_complete, read_header
from tintype.imaging.placeholder import Placeholder, placeholder
from tintype.imaging.source import Source, content, length, mapped
from tintype.imaging.strangers import unsupported
from tintype.imaging.vips import decoding, open_image

FIRST_TURNED = 5  # EXIF orientations 5 to 8 are stored lying on their side
ORIENTATIONS = range(1, 9)
RGB_BANDS = 3
BITS = MappingProxyType({"uchar": 8, "char": 8, "ushort": 16, "short": 16})
MOST_BITS = 64  # of others; floats among them have 32, and are rare
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
        whole, buffered, file: as in `headers.Header`.
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
    whole: int = 0
    buffered: int = 0
    file: int = 0
    placeholder: Placeholder | None = None

    @property
    def is_animated(self) -> bool:
        """Whether there is more than one frame."""
        return self.frames > 1


DEFAULT_LIMITS = Limits()


def inspect(source: Source, limits: Limits | None = DEFAULT_LIMITS) -> Facts:
    """The facts of a picture, from its header: no pixel is decoded, so a bomb costs nothing.

    The header is read by our own code first, and held against the limits before any codec sees the file.

    Raises ImageRefused: unsupported, damaged, or beyond a limit (None is no limit). OSError when a path
    can't be read.
    """
    format_ = recognise(source)
    if format_ is Format.SVG:
        _check_svg_bytes(source, (limits or DEFAULT_LIMITS).max_svg_bytes)
    with mapped(source) as data:
        header = read_header(data, format_)
    if limits is not None:
        check_limits(_facts(header, format_), limits)
    with decoding():
        facts = CODECS[format_](source, format_, header)
    if limits is not None:
        check_limits(facts, limits)
    return facts


def verify(source: Source, facts: Facts) -> Placeholder:
    """Decode everything once, in little memory, and answer what can be shown until the picture is there.

    Raises ImageRefused: damaged, when it is cut or broken; too costly. What decoders pass over is passed
    over: bytes behind the end, unknown chunks. Of a TIFF only the first page is read, of an AVIF or HEIC only
    the primary image.
    """
    with mapped(source) as data:
        check_complete(data, facts.format)
    with decoding():
        return placeholder(_shrunk(_all_read(source, facts)))


def recognise(source: Source) -> Format:
    """The format, by the first bytes; ImageRefused (unsupported) when it is none that is read here."""
    with mapped(source) as data:
        head = data[:HEAD_BYTES]
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


def _facts(header: Header, format_: Format) -> Facts:
    """The facts as far as our own code tells them."""
    return Facts(
        format=format_,
        width=header.width,
        height=header.height,
        frames=header.frames,
        has_alpha=header.has_alpha,
        orientation=1,
        bands=header.bands,
        whole=header.whole,
        buffered=header.buffered,
        file=header.file,
    )


def _seen(source: Source, format_: Format, header: Header) -> Facts:
    """The facts with what libvips makes of the file."""
    image = open_image(source, format_)
    orientation = _orientation(image)
    sides = (image.width, image.height)
    width, height = reversed(sides) if orientation >= FIRST_TURNED else sides
    return replace(
        _facts(header, format_),
        width=width,
        height=height,
        frames=_frames(image, format_, header),
        has_alpha=bool(image.hasalpha()),
        orientation=orientation,
        bands=image.bands,
        bits=BITS.get(image.format, MOST_BITS),
    )


def _seen_by_libheif(source: Source, format_: Format, header: Header) -> Facts:
    width, height, has_alpha = heic.header(content(source))
    return replace(
        _facts(header, format_), width=width, height=height, has_alpha=has_alpha, bands=RGB_BANDS + has_alpha
    )


def _unseen(_: Source, format_: Format, header: Header) -> Facts:
    return _facts(header, format_)


CODECS: Mapping[Format, Callable[[Source, Format, Header], Facts]] = MappingProxyType(
    dict.fromkeys(Format, _seen) | {Format.HEIC: _seen_by_libheif, Format.JXL: _unseen, Format.SVG: _unseen}
)
"""Who tells what our own code doesn't, such as which way up a picture is."""


def _orientation(image: pyvips.Image) -> int:
    """The EXIF orientation, 1 to 8; anything else a file may say counts as 1, upright."""
    value = int(image.get("orientation")) if image.get_typeof("orientation") else 1
    return value if value in ORIENTATIONS else 1


def _frames(image: pyvips.Image, format_: Format, header: Header) -> int:
    """APNG isn't known to libvips; of the others it has to have as many as it is asked for later."""
    if row(format_).moves and image.get_typeof("n-pages"):
        return int(image.get("n-pages"))  # not get_n_pages(), which takes more than 10,000 for 1
    return header.frames


def check_limits(facts: Facts, limits: Limits) -> None:
    """Raise ImageRefused at the first limit that the picture goes beyond."""
    has = f"The picture has {size_in_words(facts.width, facts.height)} pixels"
    pixels = facts.width * facts.height
    if max(facts.width, facts.height) > limits.max_side:
        raise ImageRefused(Reason.TOO_LARGE_SIDE, f"{has}; at most {limits.max_side} a side are accepted.")
    if pixels > limits.max_pixels:
        raise ImageRefused(Reason.TOO_MANY_PIXELS, f"{has}; at most {limits.max_pixels} are accepted.")
    if facts.whole > limits.max_whole_pixels:
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
