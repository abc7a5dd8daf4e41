"""Converts pixels from what a header says: a `ColourSignal`, premultiplied alpha."""

import pyvips

from tintype.imaging.colour_signal import (
    BT2020_LUMINANCE,
    HLG,
    HLG_GAMMA,
    PEAK,
    ColourSignal,
    light_of,
    matrix_to_srgb,
)

RGB_BANDS = 3
PROFILE = "icc-profile-data"
DEEP = "ushort"
BLACK, LEVELS = 16 / 255, 219 / 255
"""The lowest level of limited range, and its number of levels, of those of the full range."""


def signal_to_srgb(image: pyvips.Image, signal: ColourSignal) -> pyvips.Image:
    """Convert grey or RGB, with or without alpha, of 8 or 16 bits, to 8 bits of sRGB or grey.

    PQ and HLG are tone-mapped: white becomes a light grey, so that what is brighter can still be seen.
    """
    image = image if image.format == DEEP else image.cast("uchar")
    colours = image.bands - image.hasalpha()
    light = image.extract_band(0, n=colours).maplut(_table(signal, deep=image.format == DEEP))
    if signal.is_hdr:
        light = _tone_mapped(light, signal)
    if colours == RGB_BANDS:
        light = light.recomb(
            pyvips.Image.new_from_array([list(row) for row in matrix_to_srgb(signal.primaries)])
        )
    levels = _encoded(light)
    if levels.get_typeof(PROFILE):
        levels.remove(PROFILE)
    if not image.hasalpha():
        return levels
    alpha = image[-1] >> 8 if image.format == DEEP else image[-1]
    return levels.bandjoin(alpha.cast("uchar"))


def unpremultiplied(image: pyvips.Image) -> pyvips.Image:
    """Divide colours by alpha, if there is one."""
    if not image.hasalpha():
        return image
    return image.unpremultiply().rint().cast(image.format).copy(interpretation=image.interpretation)


def _table(signal: ColourSignal, *, deep: bool) -> pyvips.Image:
    """Light by level."""
    last = 65535 if deep else 255
    function = light_of(signal)
    black, count = (BLACK, LEVELS) if signal.is_limited else (0.0, 1.0)
    levels = (min(1.0, max(0.0, (at / last - black) / count)) for at in range(last + 1))
    return pyvips.Image.new_from_array([[function(level) for level in levels]]).cast("float")


def _tone_mapped(light: pyvips.Image, signal: ColourSignal) -> pyvips.Image:
    """Light within that of SDR: Reinhard's curve for the largest of red, green and blue, which keeps the hue.

    It maps 0 to 0 and `PEAK` to 1 (Reinhard et al., Photographic Tone Reproduction, 2002, equation 4).
    """
    if signal.transfer == HLG:
        light = _displayed(light)
    largest = _largest(light) if light.bands == RGB_BANDS else light
    return light * ((largest / PEAK**2 + 1) / (largest + 1))


def _largest(light: pyvips.Image) -> pyvips.Image:
    red, green, blue = light.bandsplit()
    return red.bandrank([green, blue], index=2)


def _displayed(scene: pyvips.Image) -> pyvips.Image:
    """The light of an HLG display, relative to SDR white (BT.2100, table 5: the OOTF)."""
    luminance = scene
    if scene.bands == RGB_BANDS:
        luminance = scene.recomb(pyvips.Image.new_from_array([list(BT2020_LUMINANCE)]))
    return scene * luminance ** (HLG_GAMMA - 1) * PEAK


def _encoded(light: pyvips.Image) -> pyvips.Image:
    """8 bits of sRGB, or of grey; a copy of its own."""
    if light.bands == RGB_BANDS:
        return light.copy(interpretation="scrgb").colourspace("srgb").copy()
    rgb = light.bandjoin([light, light]).copy(interpretation="scrgb")
    return rgb.colourspace("srgb").extract_band(0).copy(interpretation="b-w")
