"""TIFF: read by libvips, then brought to levels and colours that the rest works with (TIFF 6.0)."""

from collections.abc import Callable

import pyvips

from tintype.imaging.codecs import jpeg
from tintype.imaging.codecs.tiff_rewriting import with_other_directory
from tintype.imaging.errors import damaged, not_accepted
from tintype.imaging.headers.header import MALFORMED
from tintype.imaging.headers.jpeg import END_MARK, check_complete
from tintype.imaging.headers.tiff_directory import JPEG_TABLES, Page, read_pages
from tintype.imaging.headers.tiff_kind import (
    CIELAB,
    FLOATING,
    JPEG,
    LABS,
    SEPARATED,
    UNSIGNED,
    WHITE_IS_ZERO,
    Kind,
    check_kind,
    read_kind,
)
from tintype.imaging.source import Buffer, Source, mapped

Load = Callable[..., pyvips.Image]
"""Loads a source with libvips, and more options."""

OPAQUE, BYTE, WORD = 255, 255, 65535
SLACK = 0.01
"""The share of floating-point samples that may be outside of their range; by less of it they aren't."""
RGB_BANDS = 3
PROFILE = "icc-profile-data"
LUMA = (0.299, 0.587, 0.114)
"""The default of the coefficients: Rec. 601 (section 21)."""
REFERENCE = (0.0, 255.0, 128.0, 255.0, 128.0, 255.0)
"""Black and white of Y, Cb and Cr (section 21: the default of YCbCr)."""
CHROMA = 127
LIGHTNESS, ICC_WORD_LIGHTNESS, CHROMA_SIGN, CHROMA_WORD = 100, 65280, 128, 256
"""The highest L*; its word in ICC's legacy encoding; the offset of a* and b* in bytes; words per byte."""


def open_image(source: Source, load: Load) -> pyvips.Image:
    """Open the first page: grey, RGB or CMYK with 8 or 16 bits, with alpha only if a sample is alpha.

    Raises:
        ImageRefused: when it is damaged, or of a kind that isn't read: unsupported.
    """
    return _coloured(*_samples(source, load))


def check_samples(source: Source, load: Load) -> None:
    """Check that floating-point samples are levels, and what libjpeg only warns of.

    Up to 1 % of floats may be outside of the range; heights or temperatures would be white everywhere.

    Raises:
        ImageRefused: when they aren't levels: unsupported; when a JPEG is damaged; also as `open_image`.
    """
    image, kind = _samples(source, load)
    if kind.compression == JPEG:
        _check_jpegs(source)
    if kind.format != FLOATING:
        return
    low, high = kind.levels
    slack = (high - low) * SLACK
    if ((image < low - slack) | (image > high + slack)).avg() > OPAQUE * SLACK:
        raise not_accepted(f"TIFF with floating-point samples outside of {low:g} to {high:g}")


def _check_jpegs(source: Source) -> None:
    """Decode the JPEG in each strip or tile, as a JPEG file is verified.

    Raises:
        ImageRefused: when one is damaged.
    """
    with mapped(source) as data:
        page, _ = read_pages(data)
        for start, stop in set(page.pieces()):
            _check_jpeg(data[start:stop], page.content(JPEG_TABLES))


def _check_jpeg(piece: bytes, tables: bytes) -> None:
    stream = tables[:-2] + piece[2:] if tables.endswith(END_MARK) else piece
    try:
        check_complete(stream)
    except MALFORMED:
        raise damaged() from None
    jpeg.decode(stream, 1, pyvips.Image.avg)


def _samples(source: Source, load: Load) -> tuple[pyvips.Image, Kind]:
    """The samples as libvips reads them, and what they are."""
    with mapped(source) as data:
        page, is_plain = read_pages(data)
        kind = read_kind(page)
        check_kind(kind)
        if not is_plain or kind.needs_other_directory:
            source = _with_other_directory(data, page, kind)
    options = {"fail_on": "warning"} if kind.fails_on_warnings else {}
    if kind.has_planes:
        planes = [load(source, page=plane, **options) for plane in range(kind.samples)]
        return planes[0].bandjoin(planes[1:]), kind
    return load(source, **options), kind


def _with_other_directory(data: Buffer, page: Page, kind: Kind) -> bytes:
    try:
        return with_other_directory(data, page, kind)
    except MALFORMED:
        raise damaged() from None


def _coloured(image: pyvips.Image, kind: Kind) -> pyvips.Image:
    image = _kept_bands(image, kind)
    if kind.has_planes and kind.is_premultiplied:
        image = _named(image, kind).unpremultiply().rint().cast(image.format)
    if kind.photometric in LABS:
        return _from_lab(image, kind)
    if kind.is_converted:
        return _from_ycbcr(image, kind)
    return _named(_levelled(image, kind), kind)


def _kept_bands(image: pyvips.Image, kind: Kind) -> pyvips.Image:
    """The colours, and the sample that is alpha; others are dropped."""
    colours = RGB_BANDS if kind.is_drawn_by_libtiff else image.bands - kind.others
    if image.bands == colours + (kind.alpha is not None):
        return image
    kept = image.extract_band(0, n=colours)
    return kept if kind.alpha is None else kept.bandjoin(image[colours + kind.alpha])


def _levelled(image: pyvips.Image, kind: Kind) -> pyvips.Image:
    """Samples that go from black to white: unsigned ones of 8 or 16 bits as they are, others as 16 bits."""
    is_plain = image.format in {"uchar", "ushort"}
    most = BYTE if image.format == "uchar" else WORD
    low, high = (0.0, float(most)) if is_plain else kind.levels
    # libvips turns unsigned samples itself, unless the plane is said to be of another kind.
    is_turned = kind.photometric == WHITE_IS_ZERO and kind.format == UNSIGNED and not kind.has_planes
    if is_turned:
        low, high = 2**kind.bits - 1 - high, 2**kind.bits - 1 - low
    is_negative = kind.photometric == WHITE_IS_ZERO and not is_turned
    if is_plain and not is_negative:
        return image
    scale, black = most / (high - low), -low * most / (high - low)
    colours, others = image.bands - (kind.alpha is not None), int(kind.alpha is not None)
    if is_negative:
        factors, sums = [-scale] * colours + [scale] * others, [most - black] * colours + [black] * others
    else:
        factors, sums = [scale] * image.bands, [black] * image.bands
    exact = image.cast("double") if image.format in {"int", "uint"} else image
    return exact.linear(factors, sums).rint().cast("uchar" if most == BYTE else "ushort")


def _named(image: pyvips.Image, kind: Kind) -> pyvips.Image:
    """The samples, named for what they are."""
    if kind.photometric == SEPARATED:
        return image.copy(interpretation="cmyk")
    is_grey, is_deep = image.bands - (kind.alpha is not None) == 1, image.format == "ushort"
    name = ("grey16" if is_deep else "b-w") if is_grey else ("rgb16" if is_deep else "srgb")
    return image if image.interpretation == name else image.copy(interpretation=name)


def _from_lab(image: pyvips.Image, kind: Kind) -> pyvips.Image:
    """Convert to 8 bits of sRGB, from L*a*b* with the white D50: that of TIFF (section 23), or of ICC."""
    half, step = (CHROMA_SIGN, 1) if image.format == "uchar" else (CHROMA_SIGN * CHROMA_WORD, CHROMA_WORD)
    lightest = WORD if step == CHROMA_WORD else BYTE
    lab = image.extract_band(0, n=RGB_BANDS)
    if kind.photometric == CIELAB:
        lab = lab ^ [0, half, half]  # signed a* and b*: now as in ICC
    elif step == CHROMA_WORD:
        lightest = ICC_WORD_LIGHTNESS
    lab = lab.linear([LIGHTNESS / lightest, 1 / step, 1 / step], [0, -half / step, -half / step])
    lab = lab.copy(interpretation="lab")
    lab.remove(PROFILE)  # of other colours, if there is one
    rgb = lab.icc_export(output_profile="srgb", intent="relative", depth=8)
    return _with_alpha_of(rgb, image, kind)


def _from_ycbcr(image: pyvips.Image, kind: Kind) -> pyvips.Image:
    """RGB of YCbCr with as many samples of each (section 21)."""
    y0, y1, b0, b1, r0, r1 = _reference(kind)
    spans = (BYTE / (y1 - y0), CHROMA / (b1 - b0), CHROMA / (r1 - r0))
    levels = image.extract_band(0, n=RGB_BANDS).linear(
        list(spans), [-start * span for start, span in zip((y0, b0, r0), spans, strict=True)]
    )
    red, green, blue = _luma(kind)
    to_red, to_blue = 2 - 2 * red, 2 - 2 * blue
    matrix = [
        [1, 0, to_red],
        [(1 - blue - red) / green, -blue * to_blue / green, -red * to_red / green],
        [1, to_blue, 0],
    ]
    rgb = levels.recomb(matrix).rint().cast("uchar").copy(interpretation="srgb")
    return _with_alpha_of(rgb, image, kind)


def _reference(kind: Kind) -> tuple[float, ...]:
    found = kind.reference
    spans = zip(found[::2], found[1::2], strict=False)
    is_usable = len(found) == len(REFERENCE) and all(black != white for black, white in spans)
    return found if is_usable else REFERENCE


def _luma(kind: Kind) -> tuple[float, ...]:
    is_usable = len(kind.coefficients) == RGB_BANDS and kind.coefficients[1] > 0
    return kind.coefficients if is_usable else LUMA


def _with_alpha_of(rgb: pyvips.Image, image: pyvips.Image, kind: Kind) -> pyvips.Image:
    """The picture with the alpha of the other, as 8 bits."""
    if kind.alpha is None:
        return rgb
    alpha = image[image.bands - 1]
    return rgb.bandjoin(alpha if alpha.format == "uchar" else (alpha >> 8).cast("uchar"))
