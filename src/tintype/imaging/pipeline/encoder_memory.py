"""The memory that encoders take: a table, measured as `cost` says."""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

from tintype.imaging.formats import Format
from tintype.imaging.recipe import Recipe


class Encoder(Struct, frozen=True):
    """Bytes per pixel of the result that an encoder takes: opaque, with alpha, lossless."""

    opaque: float
    alpha: float
    lossless: float


ENCODERS: Mapping[Format, Encoder] = MappingProxyType(
    {
        Format.JPEG: Encoder(8, 8, 8),  # 6.3 to 7.3: mozjpeg holds all coefficients, twice
        Format.PNG: Encoder(7, 9, 9),  # 6.5 of noise, 1.6 of a photograph: the file, while it grows
        Format.WEBP: Encoder(11, 32, 43),  # 5.2 to 10.4; 20 to 30; 26 to 42
        Format.AVIF: Encoder(38, 47, 55),  # 33 to 37; 43 to 46; 33 to 52
        Format.GIF: Encoder(36, 36, 36),  # 34 up to 4 MP, 10 to 15.4 beyond
        Format.JXL: Encoder(48, 50, 50),  # 47 at 1.7 MP, 31 to 37 beyond
    }
)
FULL_CHROMA, FULL_CHROMA_QUALITY = 16, 90
"""Bytes per pixel of a JPEG without chroma subsampling, 14 to 15, and the lowest quality without it."""


def encoder_bytes(target: Format, recipe: Recipe, *, has_alpha: bool) -> float:
    """Bytes per pixel of the result that its encoder takes."""
    encoder = ENCODERS[target]
    if recipe.lossless:
        return encoder.lossless
    if target is Format.JPEG and (recipe.quality or 0) >= FULL_CHROMA_QUALITY:
        return FULL_CHROMA
    return encoder.alpha if has_alpha else encoder.opaque
