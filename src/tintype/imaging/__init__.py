"""This room makes pictures from pictures: it inspects what came in and renders recipes, by libvips.

What decodes is loaded when it is first asked for: a process that only plans never has a decoder in it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from tintype.imaging.auto import output_format
from tintype.imaging.errors import ImageRefused, Reason
from tintype.imaging.facts import Facts, Limits, Placeholder, check_limits
from tintype.imaging.formats import Format, Row, extension_fits, row, sniff
from tintype.imaging.geometry import OutputLimits, Plan, check_output, check_writable, plan
from tintype.imaging.recipe import Colour, Crop, Focal, Mode, Recipe, parse_colour
from tintype.imaging.words import WordError, from_words

if TYPE_CHECKING:
    from tintype.imaging.cost import decode_memory
    from tintype.imaging.reading import inspect, recognise, verify
    from tintype.imaging.rendering import Rendition, render

__all__ = [
    "Colour",
    "Crop",
    "Facts",
    "Focal",
    "Format",
    "ImageRefused",
    "Limits",
    "Mode",
    "OutputLimits",
    "Placeholder",
    "Plan",
    "Reason",
    "Recipe",
    "Rendition",
    "Row",
    "WordError",
    "check_limits",
    "check_output",
    "check_writable",
    "decode_memory",
    "extension_fits",
    "from_words",
    "inspect",
    "output_format",
    "parse_colour",
    "plan",
    "recognise",
    "render",
    "row",
    "sniff",
    "verify",
]

_LATER = {
    "decode_memory": "cost",
    "inspect": "reading",
    "recognise": "reading",
    "verify": "reading",
    "Rendition": "rendering",
    "render": "rendering",
}
"""Where they are."""


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
