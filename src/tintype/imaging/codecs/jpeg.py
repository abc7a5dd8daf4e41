"""What libjpeg says of damage in a JPEG, which it only warns of, and files without an end mark."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pyvips

from tintype.imaging.errors import damaged
from tintype.imaging.formats import Format
from tintype.imaging.headers.jpeg import END_MARK, lacks_end
from tintype.imaging.source import Source, content, mapped

MAX_STRAY_BYTES = 16
"""Bytes before a marker that may be skipped: some writers leave a few, and nothing is lost by it."""
DAMAGE = re.compile(
    r"Corrupt JPEG data: (?:premature end|bad Huffman code|bad arithmetic code|found marker|(\d+) extraneous)"
    r"|premature end of JPEG",
    re.IGNORECASE,
)
"""The warnings of libjpeg (jerror.h) that say that pixels are missing or wrong."""


def with_end(source: Source) -> Source:
    """The source, with the end mark if that is missing: without it libvips loses the last lines.

    Raises:
        ImageRefused: when it is damaged or too costly.
    """
    with mapped(source) as data:
        if not lacks_end(data):
            return source
    return content(source) + END_MARK


@contextmanager
def refusing_damage(format: Format) -> Iterator[None]:
    """Check what libjpeg warns of while the block decodes a JPEG. Of each file it says the first warning.

    Raises:
        ImageRefused: when it is damaged.
    """
    pyvips.vips_lib.vips_error_clear()
    yield
    warnings = pyvips.ffi.string(pyvips.vips_lib.vips_error_buffer()).decode(errors="replace")
    if format is Format.JPEG and any(map(_is_damage, DAMAGE.finditer(warnings))):
        pyvips.vips_lib.vips_error_clear()
        raise damaged()


def _is_damage(warning: re.Match[str]) -> bool:
    return warning[1] is None or int(warning[1]) > MAX_STRAY_BYTES
