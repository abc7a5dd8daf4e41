"""Palettes of images with few colours: drawings, text, screenshots."""

import sys

import pyvips
from msgspec import Struct

MAX_COLOURS = 256
MAX_PIXELS = 1_000_000  # Python scans these in some twenty milliseconds
SAMPLE_STEP, CHUNK = (
    97,
    4096,
)  # pixels from one to the next of the first look; and that are then taken at once
OPAQUE, RGBA_BANDS, GREY_BANDS = 255, 4, 2
Colour = tuple[int, int, int, int]


class Palette(Struct, frozen=True):
    """The colours of an image, transparent ones first, and its rows of pixels as indices into them."""

    width: int
    height: int
    colours: tuple[Colour, ...]
    rows: tuple[bytes, ...]

    @property
    def is_grey(self) -> bool:
        """Whether all colours are opaque greys."""
        return all(red == green == blue and alpha == OPAQUE for red, green, blue, alpha in self.colours)


def few_colours(image: pyvips.Image) -> tuple[pyvips.Image, Palette | None]:
    """The image, and its palette if it has at most 256 colours (8 bits per band) and a million pixels.

    If the pixels were scanned, the returned image is in memory.
    """
    if image.width * image.height > MAX_PIXELS:
        return image, None
    image = image.copy_memory()
    pixels = memoryview(_rgba(image).write_to_memory()).cast("I")
    codes = _codes(pixels)
    return image, None if codes is None else _palette(image, pixels, codes)


def _rgba(image: pyvips.Image) -> pyvips.Image:
    if image.bands <= GREY_BANDS:
        grey = image[0]
        image = grey.bandjoin([grey, grey, *([image[1]] if image.hasalpha() else [])])
    return image if image.bands == RGBA_BANDS else image.bandjoin(OPAQUE)


def _codes(pixels: memoryview) -> set[int] | None:
    """The distinct pixels; None if there are too many, which a first sparse sample of a photograph shows."""
    codes = set(pixels[::SAMPLE_STEP])
    for at in range(0, len(pixels), CHUNK):
        codes.update(pixels[at : at + CHUNK])
        if len(codes) > MAX_COLOURS:
            return None
    return codes


def _palette(image: pyvips.Image, pixels: memoryview, codes: set[int]) -> Palette:
    colours = sorted((_colour(code) for code in codes), key=lambda colour: (colour[3] == OPAQUE, colour))
    index = {_code(colour): at for at, colour in enumerate(colours)}
    width = image.width
    # One row at a time, so that other threads can run.
    rows = tuple(
        bytes(map(index.__getitem__, pixels[at : at + width])) for at in range(0, len(pixels), width)
    )
    return Palette(width, image.height, tuple(colours), rows)


def _colour(code: int) -> Colour:
    red, green, blue, alpha = code.to_bytes(4, sys.byteorder)
    return red, green, blue, alpha


def _code(colour: Colour) -> int:
    return int.from_bytes(bytes(colour), sys.byteorder)
