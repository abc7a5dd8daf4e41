"""Loads what codecs and fonts would load on first use, before opening files is forbidden."""

from importlib import import_module

import pyvips

from tintype.imaging.codecs import svg
from tintype.imaging.extras import available
from tintype.imaging.formats import FormatSpec
from tintype.imaging.inspection import inspect, verify
from tintype.imaging.pipeline.encode import encode
from tintype.imaging.pipeline.render import render
from tintype.imaging.recipe import Recipe

SIDE = 16
SAMPLE_SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16"><text y="9">Aa</text></svg>'


def import_lazy_modules() -> None:
    """Import optional decoder packages, and modules that Python imports on first use."""
    import_module("encodings.ascii")
    for entry in available():
        if entry.package is not None:
            import_module(entry.package)


def exercise_codecs() -> None:
    """Encode and decode a small image in every format, and draw text in the generic font families."""
    svg.preload_fonts()
    for entry in available():
        if entry.saver is not None:
            _decode_sample(_encode_sample(entry))
        elif entry.package == "py_svg_hush":
            _decode_sample(SAMPLE_SVG)


def _encode_sample(entry: FormatSpec) -> bytes:
    image = pyvips.Image.black(SIDE, SIDE, bands=3).copy(interpretation="srgb")
    return encode(image, entry, Recipe())


def _decode_sample(data: bytes) -> None:
    verify(data, inspect(data))
    render(data, Recipe(width=SIDE // 2))
