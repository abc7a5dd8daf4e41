"""This room makes pictures from pictures: it inspects what came in and renders recipes, by libvips."""

from tintype.imaging.cost import decode_memory
from tintype.imaging.errors import ImageRefused, Reason
from tintype.imaging.formats import Format, Row, extension_fits, row, sniff
from tintype.imaging.geometry import OutputLimits, Plan, check_output, plan
from tintype.imaging.inspect import Facts, Limits, check_limits, inspect, recognise, verify
from tintype.imaging.placeholder import Placeholder
from tintype.imaging.recipe import Colour, Crop, Focal, Mode, Recipe, parse_colour
from tintype.imaging.render import Rendition, check_writable, output_format, render
from tintype.imaging.words import WordError, from_words

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
