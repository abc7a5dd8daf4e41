"""The edge with packages that decode a format of their own: they give pixels, and raise refusals."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyvips

from tintype.imaging.errors import ImageRefused, damaged, out_of_memory

PROFILE = "icc-profile-data"
GREY_BANDS = 2  # at most, with alpha
PANIC = "PanicException"
"""What a panic of Rust becomes in Python: no `Exception`, and of a class that can't be imported."""


@contextmanager
def decode_errors() -> Iterator[None]:
    """What a package can't read within is refused: too costly for want of memory, else damaged."""
    try:
        yield
    except ImageRefused:
        raise
    except MemoryError as error:
        raise out_of_memory() from error
    except Exception as error:
        # Every package has its own errors, and no promise which.
        raise damaged() from error
    except BaseException as error:
        if type(error).__name__ == PANIC:
            raise damaged() from error
        raise


def from_pixels(
    pixels: bytes | bytearray | memoryview, size: tuple[int, int], bands: int, profile: bytes
) -> pyvips.Image:
    """Pixels of 8 bits a band, row by row, grey or RGB, with or without alpha, as a picture in memory.

    Raises:
        ImageRefused: damaged, when there are more or fewer than the size says.
    """
    if len(pixels) != size[0] * size[1] * bands:
        raise damaged()
    image = pyvips.Image.new_from_memory(pixels, *size, bands, "uchar")
    image = image.copy(interpretation="b-w" if bands <= GREY_BANDS else "srgb")
    if profile:
        image.set_type(pyvips.GValue.blob_type, PROFILE, profile)
    return image
