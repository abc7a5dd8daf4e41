"""The one edge with libvips: it is made hygienic here, and pictures are opened here and nowhere else."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyvips

from tintype.imaging.errors import damaged
from tintype.imaging.formats import Format, Option, row

Source = bytes | Path

# Every original is another one, so that libvips' cache of operations would only hold on to memory.
pyvips.cache_set_max(0)
pyvips.cache_set_max_mem(0)
pyvips.cache_set_max_files(0)
# Parallelism is ours: a picture a thread.
pyvips.concurrency_set(1)
# Loaders that libvips itself doesn't trust with hostile bytes; none of the six that we name is among them.
pyvips.block_untrusted_set(True)  # noqa: FBT003  # pyvips takes it by position only


def open_image(source: Source, format: Format, **options: Option) -> pyvips.Image:
    """The picture, opened for one pass from top to bottom by the loader of its format: libvips never guesses.

    Only the header is read: errors in the pixels come up when they are asked for, so callers stay inside
    `decoding()`.
    """
    options = {"access": "sequential", "fail_on": "error", **options}
    loader = row(format).loader
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
