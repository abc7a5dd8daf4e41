"""Adapters for optional decoder packages: errors and pixels."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyvips

from tintype.imaging.errors import ImageRefused, damaged, out_of_memory

PROFILE = "icc-profile-data"
GREY_BANDS = 2  # at most, with alpha
PANIC = "PanicException"
"""The Python class of a Rust panic (pyo3): not an `Exception`, and not importable."""


@contextmanager
def decode_errors() -> Iterator[None]:
    """Translate errors of a decoder package.

    Raises:
        ImageRefused: when it is damaged, or too costly if it ran out of memory.
    """
    try:
        yield
    except ImageRefused:
        raise
    except MemoryError as error:
        raise out_of_memory() from error
    except Exception as error:
        # Every package has its own undocumented exceptions.
        raise damaged() from error
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
