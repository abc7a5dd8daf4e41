"""Configures libvips; all images are opened here."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from mmap import mmap
from types import MappingProxyType

import pyvips

from tintype.imaging.codecs import bmp, gif, heic, ico, jpeg, jxl, svg, tiff
from tintype.imaging.codecs.packages import refusal
from tintype.imaging.formats import Format, Option, spec
from tintype.imaging.headers import png
from tintype.imaging.source import Source, content, mapped

__all__ = ["Source", "check_samples", "decoding", "open_image"]

# Otherwise libvips writes images of more than 100 MB that it can't stream to temporary files.
os.environ["VIPS_DISC_THRESHOLD"] = "1000g"
# Every source is different, so libvips' operation cache would only waste memory.
pyvips.cache_set_max(0)
pyvips.cache_set_max_mem(0)
pyvips.cache_set_max_files(0)
# One thread per image: we run several images in parallel.
pyvips.concurrency_set(1)
# Block the loaders that libvips marks as unsafe for untrusted input. Of those we use only SVG's is among
# them, and it gets sanitised input.
pyvips.block_untrusted_set(True)  # noqa: FBT003  # pyvips takes it by position only
pyvips.operation_block_set("VipsForeignLoadSvg", False)  # noqa: FBT003  # the same


def _without_texts(source: Source) -> Source:
    with mapped(source) as data:
        return png.without_texts(data) or source


OPTIONS: Mapping[str, Option] = MappingProxyType({"access": "sequential", "fail_on": "error"})
READERS: Mapping[Format, Callable[[Source, float], pyvips.Image]] = MappingProxyType(
    {
        Format.BMP: lambda source, _: bmp.read(source),
        Format.ICO: lambda source, _: ico.read(source, partial(_load, loader="pngload", **OPTIONS)),
        Format.HEIC: lambda source, _: heic.read(content(source)),
        Format.JXL: lambda source, _: jxl.read(content(source)),
        Format.SVG: lambda source, scale: svg.read(content(source), scale=scale),
    }
)
"""Decoders of the formats that libvips doesn't read itself; all but those of BMP decode the image at once."""
PREPARATIONS: Mapping[Format, Callable[[Source], Source]] = MappingProxyType(
    {
        Format.JPEG: jpeg.with_end,
        Format.PNG: _without_texts,
        Format.GIF: gif.as_in_browsers,
    }
)
"""What is changed in a file before libvips reads it; most sources are returned as they are."""


def open_image(source: Source, format: Format, /, **options: Option) -> pyvips.Image:
    """Open an image for sequential access, with the loader of its format: libvips never guesses the format.

    Only the header is read: errors in the pixels occur when they are read, so callers stay inside
    `decoding()`. Formats without a libvips loader are decoded at once; of the options only an SVG's `scale`
    applies to them.

    Raises:
        ImageRefused: when it is damaged or too costly, for formats that are decoded at once.
    """
    options = {**OPTIONS, **options}
    loader = spec(format).loader
    if loader is None:
        return READERS[format](source, float(options.get("scale", 1)))
    if format in PREPARATIONS:
        source = PREPARATIONS[format](source)
    if format is Format.TIFF:
        return tiff.open_image(source, partial(_load, loader=loader, **options))
    return _load(source, loader, **options)


def check_samples(source: Source, format: Format) -> None:
    """Check the levels of pictures whose samples aren't always levels: floating-point ones of TIFF.

    Raises:
        ImageRefused: when they aren't levels: unsupported.
    """
    if format is Format.TIFF:
        tiff.check_samples(source, partial(_load, loader="tiffload", access="sequential"))


def _load(source: Source, /, loader: str, **options: Option) -> pyvips.Image:
    # A buffer is copied by pyvips, for each plane of a TIFF.
    if isinstance(source, bytes) and loader != spec(Format.TIFF).loader:
        return getattr(pyvips.Image, f"{loader}_buffer")(source, **options)
    if isinstance(source, bytes | mmap):
        image = getattr(pyvips.Image, f"{loader}_source")(pyvips.Source.new_from_memory(source), **options)
        # Keep the bytes alive: pixels are read from it later.
        image._references.append(source)  # noqa: SLF001  # pyvips' own functions do it so
        return image
    return getattr(pyvips.Image, loader)(str(source), **options)


@contextmanager
def decoding() -> Iterator[None]:
    """Translate errors of libvips.

    Raises:
        ImageRefused: when it is damaged, or too costly if it ran out of memory or is too complex.
    """
    try:
        yield
    except pyvips.Error as error:
        raise refusal(error) from error
