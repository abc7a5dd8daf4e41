"""HEIC: header and pixels, by libheif."""

from typing import Any

import pyvips

from tintype.imaging.codecs.packages import decode_errors, from_pixels

GREY_16 = "I;16"


def header(data: bytes) -> tuple[int, int, bool]:
    """Width and height of the primary image after rotation, and whether it has alpha.

    Raises:
        ImageRefused: when it is damaged.
    """
    with decode_errors():
        primary = _primary(data)
        width, height = primary.size
        return width, height, "A" in primary.mode


def read(data: bytes) -> pyvips.Image:
    """Decode the primary image: upright, 8 bits per band, with its ICC profile.

    Raises:
        ImageRefused: when it is damaged or too costly.
    """
    with decode_errors():
        image = _primary(data)
        bytes_a_pixel = 2 if image.mode == GREY_16 else len(image.mode)
        pixels = _rows(image.data, image.stride, bytes_a_pixel * image.size[0])
        profile = image.info.get("icc_profile") or b""
        if image.mode == GREY_16:  # little-endian: the second byte is the high one
            return from_pixels(pixels[1::2], image.size, 1, profile)
        return from_pixels(pixels, image.size, bytes_a_pixel, profile)


def _primary(data: bytes) -> Any:  # noqa: ANN401  of a package without types
    import pillow_heif  # noqa: PLC0415  an extra

    pillow_heif.options.DECODE_THREADS = 1
    found = pillow_heif.open_heif(data, convert_hdr_to_8bit=True)
    return found[found.primary_index]


def _rows(data: memoryview, stride: int, length: int) -> memoryview | bytes:
    """The rows without the padding between them."""
    if stride == length:
        return data
    return b"".join(data[at : at + length] for at in range(0, len(data) - length + 1, stride))
