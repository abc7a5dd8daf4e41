"""Inspection of originals: first the header alone, then all of the data."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import pyvips
from msgspec.structs import replace

from tintype.imaging.codecs import gif, heic, jpeg
from tintype.imaging.codecs.vips import check_samples, decoding, open_image
from tintype.imaging.errors import ImageRefused, Reason
from tintype.imaging.extras import require
from tintype.imaging.formats import HEAD_BYTES, Format, sniff, spec
from tintype.imaging.headers import Header, check_complete, read_header
from tintype.imaging.image_info import DEFAULT_LIMITS, ImageInfo, Limits, Placeholder, check_limits
from tintype.imaging.placeholder import placeholder
from tintype.imaging.signal_conversion import signal_to_srgb, unpremultiplied
from tintype.imaging.source import Source, content, length, mapped
from tintype.imaging.unsupported import unsupported

FIRST_TRANSPOSED = 5  # EXIF orientations 5 to 8 swap width and height
ORIENTATIONS = range(1, 9)
RGB_BANDS = 3
BITS = MappingProxyType({"uchar": 8, "char": 8, "ushort": 16, "short": 16})
MAX_BITS = 64  # of others; floats among them have 32, and are rare
JPEG_SHRINK = 8  # also the shortest side that can be decoded so
MIN_PLACEHOLDER_SOURCE = 64  # pixels of a side that a placeholder is made from


def inspect(source: Source, limits: Limits | None = DEFAULT_LIMITS) -> ImageInfo:
    """The properties of an image, from its header: no pixel is decoded, so a decompression bomb is harmless.

    Our own code parses the header first, and checks it against the limits before a codec sees the file.

    Args:
        source: the file.
        limits: on originals; None: no limit.

    Raises:
        ImageRefused: when it is unsupported, damaged, or above a limit.
        OSError: when a path can't be read.
    """
    format_ = recognise(source)
    header, info = read_info(source, format_, limits)
    if limits is not None:
        check_limits(info, limits)
    info = read_codec_info(source, format_, header)
    if limits is not None:
        check_limits(info, limits)
    return info


def read_info(source: Source, format: Format, limits: Limits | None) -> tuple[Header, ImageInfo]:
    """Parse the header with our own code. No limit is checked but the size of an SVG.

    Raises:
        ImageRefused: when it is damaged, or an SVG is too large.
    """
    if format is Format.SVG:
        _check_svg_bytes(source, (limits or DEFAULT_LIMITS).max_svg_bytes)
    with mapped(source) as data:
        header = read_header(data, format)
    return header, _info_from_header(header, format)


def read_codec_info(source: Source, format: Format, header: Header) -> ImageInfo:
    """The properties as read by the codec that will decode the image.

    Raises:
        ImageRefused: when it is damaged.
    """
    with decoding():
        return CODECS[format](source, format, header)


def verify(source: Source, info: ImageInfo) -> Placeholder:
    """Decode the whole image once, in little memory, and return its placeholder.

    What decoders ignore is ignored: bytes after the end, unknown chunks. Only the first page of a TIFF and
    the primary image of an AVIF or HEIC are decoded.

    Raises:
        ImageRefused: when it is truncated, corrupt or too costly.
    """
    with mapped(source) as data:
        check_complete(data, info.format)
    with decoding():
        if info.format is Format.GIF:
            with mapped(source) as data:
                gif.check_rows(data)
        check_samples(source, info.format)
        return placeholder(_plain(_decoded(source, info), info))


def _decoded(source: Source, info: ImageInfo) -> pyvips.Image:
    """All of the image decoded, and shrunk."""
    if info.format is Format.JPEG:
        with mapped(source) as data:
            return jpeg.decode(data, verify_shrink(info), _shrunk)
    return _shrunk(_open_fully(source, info))


def verify_shrink(info: ImageInfo) -> int:
    """The factor at which verification decodes a JPEG: all data is still read, and only the DCT is saved."""
    is_large = min(info.width, info.height) >= JPEG_SHRINK
    return JPEG_SHRINK if is_large and info.format is Format.JPEG else 1


def _plain(image: pyvips.Image, info: ImageInfo) -> pyvips.Image:
    """Not multiplied by alpha, and in sRGB if the header says another colour space."""
    if info.is_premultiplied:
        image = unpremultiplied(image)
    return image if info.colour is None else signal_to_srgb(image, info.colour)


def recognise(source: Source) -> Format:
    """The format, by the first bytes.

    Raises:
        ImageRefused: when it is unsupported.
    """
    with mapped(source) as data:
        head = data[:HEAD_BYTES]
    format_ = sniff(head)
    if format_ is None:
        raise unsupported(head)
    require(spec(format_))
    return format_


def _open_fully(source: Source, info: ImageInfo) -> pyvips.Image:
    """The image, opened so that reading all of its pixels decodes all of the file."""
    options = spec(info.format).verify_options
    image = open_image(source, info.format, **options)
    if info.is_animated and "n" in options:
        # This is a strip of all frames: decode it, then open the first frame for the placeholder.
        image.avg()
        image = open_image(source, info.format)
    return image


def _shrunk(image: pyvips.Image) -> pyvips.Image:
    """Read all pixels, and shrink the longer side to one to two times `MIN_PLACEHOLDER_SOURCE`.

    `ceil` includes the rest at the edges, so that every line is decoded.
    """
    factor = max(image.width, image.height) // MIN_PLACEHOLDER_SOURCE
    if factor <= 1:
        return image.copy_memory()
    if not image.hasalpha():
        return image.shrink(factor, factor, ceil=True).copy_memory()
    format_ = image.format
    weighed = image.premultiply().shrink(factor, factor, ceil=True)
    return weighed.copy_memory().unpremultiply().cast(format_)


def _info_from_header(header: Header, format_: Format) -> ImageInfo:
    """The properties that our own parser has read."""
    return ImageInfo(
        format=format_,
        width=header.width,
        height=header.height,
        frames=header.frames,
        has_alpha=header.has_alpha,
        orientation=1,
        bands=header.bands,
        whole_pixels=header.whole_pixels,
        buffer_bytes=header.buffer_bytes,
        file_bytes=header.file_bytes,
        is_premultiplied=header.is_premultiplied,
        colour=header.colour,
    )


def _ask_libvips(source: Source, format_: Format, header: Header) -> ImageInfo:
    """The properties, completed by what libvips reads from the header."""
    image = open_image(source, format_)
    orientation = _orientation(image)
    sides = (image.width, image.height)
    width, height = reversed(sides) if orientation >= FIRST_TRANSPOSED else sides
    return replace(
        _info_from_header(header, format_),
        width=width,
        height=height,
        frames=_frames(image, format_, header),
        has_alpha=bool(image.hasalpha()),
        orientation=orientation,
        bands=image.bands,
        bits=BITS.get(image.format, MAX_BITS),
    )


def _ask_libheif(source: Source, format_: Format, header: Header) -> ImageInfo:
    width, height, has_alpha = heic.header(content(source))
    return replace(
        _info_from_header(header, format_),
        width=width,
        height=height,
        has_alpha=has_alpha,
        bands=RGB_BANDS + has_alpha,
    )


def _header_only(_: Source, format_: Format, header: Header) -> ImageInfo:
    return _info_from_header(header, format_)


CODECS: Mapping[Format, Callable[[Source, Format, Header], ImageInfo]] = MappingProxyType(
    dict.fromkeys(Format, _ask_libvips)
    | {
        Format.BMP: _header_only,
        Format.HEIC: _ask_libheif,
        Format.JXL: _header_only,
        Format.SVG: _header_only,
    }
)
"""What completes the properties our own parser has read, for example with the orientation."""


def _orientation(image: pyvips.Image) -> int:
    """The EXIF orientation, 1 to 8; invalid values count as 1, upright."""
    value = int(image.get("orientation")) if image.get_typeof("orientation") else 1
    return value if value in ORIENTATIONS else 1


def _frames(image: pyvips.Image, format_: Format, header: Header) -> int:
    """The number of frames: libvips' own count where it decodes them, else the header's (APNG)."""
    if spec(format_).can_animate and image.get_typeof("n-pages"):
        return int(image.get("n-pages"))  # not get_n_pages(), which returns 1 if there are more than 10,000
    return header.frames


def _check_svg_bytes(source: Source, max_bytes: int) -> None:
    """Check the size of an SVG before it is parsed.

    Raises:
        ImageRefused: when it is too costly.
    """
    if length(source) > max_bytes:
        raise ImageRefused(
            Reason.TOO_COSTLY, f"The SVG has {length(source)} bytes; at most {max_bytes} are accepted."
        )
