"""The one edge with libvips: it is made hygienic here, and pictures are opened here and nowhere else."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyvips

from tintype.imaging import aside
from tintype.imaging.aside import DEFAULT_ASIDE, AsideLimits, Source
from tintype.imaging.errors import damaged
from tintype.imaging.formats import Format, Option, row

__all__ = ["Source", "decoding", "open_image"]

# Every original is another one, so that libvips' cache of operations would only hold on to memory.
pyvips.cache_set_max(0)
pyvips.cache_set_max_mem(0)
pyvips.cache_set_max_files(0)
# Parallelism is ours: a picture a thread.
pyvips.concurrency_set(1)
# Loaders that libvips itself doesn't trust with hostile bytes; none of the six that we name is among them.
pyvips.block_untrusted_set(True)  # noqa: FBT003  # pyvips takes it by position only


def open_image(
    source: Source, format: Format, limits: AsideLimits = DEFAULT_ASIDE, /, **options: Option
) -> pyvips.Image:
    """The picture, opened for one pass from top to bottom by the loader of its format: libvips never guesses.

    Only the header is read: errors in the pixels come up when they are asked for, so callers stay inside
    `decoding()`. A format without a loader of libvips' is decoded at once, in a process within `limits`; of
    the options an SVG takes `scale`, the others none.
    """
    options = {"access": "sequential", "fail_on": "error", **options}
    loader = row(format).loader
    if loader is None:
        return aside.read(source, format, limits, scale=float(options.get("scale", 1)))
    if isinstance(source, bytes):
        return getattr(pyvips.Image, f"{loader}_buffer")(source, **options)
    return getattr(pyvips.Image, loader)(str(source), **options)


@contextmanager
def decoding() -> Iterator[None]:
    """What libvips can't read within is refused as damaged."""
    try:
        yield
    except pyvips.Error as error:
        raise damaged() from error
