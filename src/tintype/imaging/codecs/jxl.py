"""JPEG XL: decoder and encoder, by libjxl."""

from array import array
from collections.abc import Mapping
from typing import Any

import pyvips

from tintype.imaging.codecs.packages import decode_errors, from_pixels
from tintype.imaging.errors import ImageRefused, OutOfMemory, damaged
from tintype.imaging.extras import require
from tintype.imaging.formats import Format, Option, spec
from tintype.imaging.headers import jxl as headers

BEST = 100
GREY_16, FLOATS = "I;16", "F"
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def read(data: bytes) -> pyvips.Image:
    """Decode the image: upright, 8 bits per band, with its ICC profile.

    The decoder gets the codestream alone: otherwise it would inflate metadata, and convert a transcoded JPEG
    back to JPEG.

    Raises:
        ImageRefused: when it is damaged, too costly, or an animation, which is unsupported.
    """
    header = headers.header(data)
    with decode_errors():
        return _decode(headers.codestream(data), (header.width, header.height))


def has_surplus(codestream: bytes) -> bool:
    """Whether bytes follow the end of the codestream: without its last byte it can still be decoded.

    Raises:
        ImageRefused: when the package is not installed.
    """
    require(spec(Format.JXL))
    from pillow_jxl import Decoder  # noqa: PLC0415  an extra

    try:
        with decode_errors():
            Decoder(num_threads=0)(codestream[:-1])
    except OutOfMemory:
        raise
    except ImageRefused:
        return False
    return True


def _decode(data: bytes, size: tuple[int, int]) -> pyvips.Image:
    from pillow_jxl import Decoder  # noqa: PLC0415  an extra

    is_jpeg, info, pixels, profile, _boxes = Decoder(num_threads=0)(data)
    if is_jpeg:
        raise damaged()
    if info.mode == GREY_16:  # little-endian: the second byte is the high one
        return from_pixels(pixels[1::2], size, 1, profile)
    if info.mode.startswith(FLOATS):
        levels = bytes(min(255, max(0, round(255 * value))) for value in array("f", pixels))
        return from_pixels(levels, size, 1, profile)
    return from_pixels(pixels, size, len(info.mode), profile)


def write(image: pyvips.Image, options: Mapping[str, Option]) -> bytes:
    """Encode pixels of 8 bits, grey or sRGB; the options are named like those of libvips' savers."""
    import pillow_jxl  # noqa: PLC0415  an extra

    quality = float(options.get("Q", BEST))
    encoder_options = {
        # The best quality is lossless: the encoder refuses it otherwise.
        "lossless": quality >= BEST,
        "quality": quality,
        "effort": int(options["effort"]),
        "num_threads": 0,
    }
    # Any: its type stubs are outdated.
    create: Any = pillow_jxl.Encoder
    encoder = create(MODES[image.bands], **encoder_options)
    pixels = bytes(image.write_to_memory())
    data: bytes = encoder(pixels, image.width, image.height, jpeg_encode=False)
    return data
