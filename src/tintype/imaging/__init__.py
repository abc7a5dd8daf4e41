"""A library of its own: inspects images, and renders recipes with libvips.

Decoders are imported on first use: a process that only plans never loads them.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from tintype.imaging.errors import ImageRefused, Reason
from tintype.imaging.formats import Format, FormatSpec, extension_fits, sniff, spec
from tintype.imaging.image_info import ImageInfo, Limits, Placeholder, check_limits
from tintype.imaging.recipe import Crop, Focal, Mode, Recipe
from tintype.imaging.recipe.auto import output_format
from tintype.imaging.recipe.capping import within_limits
from tintype.imaging.recipe.colour import Colour, parse_colour
from tintype.imaging.recipe.geometry import OutputLimits, Plan, check_output, plan
from tintype.imaging.recipe.params import ParamError, parse_params

if TYPE_CHECKING:
    from tintype.imaging.inspection import inspect, recognise, verify
    from tintype.imaging.pipeline.cost import decode_memory
    from tintype.imaging.pipeline.render import Rendition, render

__all__ = [
    "Colour",
    "Crop",
    "Focal",
    "Format",
    "FormatSpec",
    "ImageInfo",
    "ImageRefused",
    "Limits",
    "Mode",
    "OutputLimits",
    "ParamError",
    "Placeholder",
    "Plan",
    "Reason",
    "Recipe",
    "Rendition",
    "check_limits",
    "check_output",
    "decode_memory",
    "extension_fits",
    "inspect",
    "output_format",
    "parse_colour",
    "parse_params",
    "plan",
    "recognise",
    "render",
    "sniff",
    "spec",
    "verify",
    "within_limits",
]

_LAZY = {
    "decode_memory": "pipeline.cost",
    "inspect": "inspection",
    "recognise": "inspection",
    "verify": "inspection",
    "Rendition": "pipeline.render",
    "render": "pipeline.render",
}
"""The modules that these names are imported from, on first use."""


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
