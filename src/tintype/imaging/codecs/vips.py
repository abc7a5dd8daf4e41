"""The one edge with libvips: it is made hygienic here, and pictures are opened here and nowhere else."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from mmap import mmap
from types import MappingProxyType

import pyvips

from tintype.imaging.codecs import heic, jxl, svg
from tintype.imaging.errors import damaged, out_of_memory
from tintype.imaging.formats import Format, Option, spec
from tintype.imaging.source import Source, content

__all__ = ["Source", "decoding", "open_image"]

# What can't be given on line by line would otherwise go through a file, from 100 MB on.
os.environ["VIPS_DISC_THRESHOLD"] = "1000g"
# Every original is another one, so that libvips' cache of operations would only hold on to memory.
pyvips.cache_set_max(0)
pyvips.cache_set_max_mem(0)
pyvips.cache_set_max_files(0)
# Parallelism is ours: a picture a thread.
pyvips.concurrency_set(1)
# Loaders that libvips itself doesn't trust with hostile bytes; of those that we name only that of SVG is
# among them, which is given what came from a filter.
pyvips.block_untrusted_set(True)  # noqa: FBT003  # pyvips takes it by position only
pyvips.operation_block_set("VipsForeignLoadSvg", False)  # noqa: FBT003  # the same

WANTS_MEMORY = re.compile("(out of|insufficient) memory|memory (allocation|error)|allocat", re.IGNORECASE)
"""How libvips, and the libraries below it, say that there was none."""

READERS: Mapping[Format, Callable[[bytes, float], pyvips.Image]] = MappingProxyType(
    {
        Format.HEIC: lambda data, _: heic.read(data),
        Format.JXL: lambda data, _: jxl.read(data),
        Format.SVG: lambda data, scale: svg.read(data, scale=scale),
    }
)
"""What reads the formats that libvips doesn't, all at once."""


def open_image(source: Source, format: Format, /, **options: Option) -> pyvips.Image:
    """The picture, opened for one pass from top to bottom by the loader of its format: libvips never guesses.

    Only the header is read: errors in the pixels come up when they are asked for, so callers stay inside
    `decoding()`. A format without a loader of libvips' is decoded at once; of the options an SVG takes
    `scale`, the others none.

    Raises:
        ImageRefused: damaged, or too costly, of a format that is decoded at once.
    """
    options = {"access": "sequential", "fail_on": "error", **options}
    loader = spec(format).loader
    if loader is None:
        return READERS[format](content(source), float(options.get("scale", 1)))
    if isinstance(source, bytes):
        return getattr(pyvips.Image, f"{loader}_buffer")(source, **options)
    if isinstance(source, mmap):
        image = getattr(pyvips.Image, f"{loader}_source")(pyvips.Source.new_from_memory(source), **options)
        # What is read later is read from there.
        image._references.append(source)  # noqa: SLF001  # pyvips' own functions do it so
        return image
    return getattr(pyvips.Image, loader)(str(source), **options)


@contextmanager
def decoding() -> Iterator[None]:
    """What libvips can't read within is refused as damaged; what it has no memory for, as too costly."""
    try:
        yield
    except pyvips.Error as error:
        raise (out_of_memory() if WANTS_MEMORY.search(str(error)) else damaged()) from error
