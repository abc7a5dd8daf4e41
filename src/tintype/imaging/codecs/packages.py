"""Adapters for decoders: their errors, and the pixels of optional packages."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pyvips

from tintype.imaging.errors import ImageRefused, damaged, not_accepted, out_of_memory, too_complex

PROFILE = "icc-profile-data"
GREY_BANDS = 2  # at most, with alpha
PANIC = "PanicException"
"""The Python class of a Rust panic (pyo3): not an `Exception`, and not importable."""


WANTS_MEMORY = re.compile(
    r"(out of|insufficient) memory|memory (allocation|error)|allocat|no space for|unexpected c\+\+ exception"
    r"|rendering error: *$",
    re.IGNORECASE | re.MULTILINE,
)
"""Messages for failed allocations: of libvips and most libraries, libtiff, libheif (std::bad_alloc), and
librsvg, where it is an error of cairo without a text."""
EXCEEDS_LIMIT = re.compile(r"(exceeded|cannot load) more than|has been exceeded")
"""Messages of librsvg for its own limits: references, elements, nested layers."""


NOT_BUILT = re.compile(r"(\S+) compression support is not configured")
"""Messages of libtiff for compressions that it was built without."""


def refusal(error: Exception) -> ImageRefused:
    """The error for an exception of a decoder: out of memory, too complex, not built in, else damaged."""
    message = str(error)
    if isinstance(error, MemoryError) or WANTS_MEMORY.search(message):
        return out_of_memory()
    if missing := NOT_BUILT.search(message):
        return not_accepted(f"TIFF compressed by {missing[1]}")
    return too_complex() if EXCEEDS_LIMIT.search(message) else damaged()


@contextmanager
def decode_errors() -> Iterator[None]:
    """Translate errors of a decoder package.

    Raises:
        ImageRefused: when it is damaged, or too costly if it ran out of memory or is too complex.
    """
    try:
        yield
    except ImageRefused:
        raise
    except Exception as error:
        # Every package has its own undocumented exceptions.
        raise refusal(error) from error
    except BaseException as error:
        if type(error).__name__ == PANIC:
            raise damaged() from error
        raise


def from_pixels(
    pixels: bytes | bytearray | memoryview, size: tuple[int, int], bands: int, profile: bytes
) -> pyvips.Image:
    """An image from pixels in memory: 8 bits per band, row by row, grey or RGB, with or without alpha.

    Raises:
        ImageRefused: when the number of bytes does not match the size.
    """
    if len(pixels) != size[0] * size[1] * bands:
        raise damaged()
    image = pyvips.Image.new_from_memory(pixels, *size, bands, "uchar")
    image = image.copy(interpretation="b-w" if bands <= GREY_BANDS else "srgb")
    if profile:
        image.set_type(pyvips.GValue.blob_type, PROFILE, profile)
    return image
