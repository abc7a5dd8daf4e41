"""Which pictures would answer a link: the best for the one who asks, and what can stand in for it. Pure."""

import hashlib
import math
from collections.abc import Set as AbstractSet

from msgspec import Struct
from msgspec.structs import replace

from tintype.imaging import Format, Recipe, output_format, plan
from tintype.imaging.recipe import FINGERPRINT_DIGITS
from tintype.imaging.recipe.auto import TINY_PIXELS, candidates
from tintype.model import Image

SLOW = frozenset({Format.AVIF, Format.JXL})
"""Formats whose encoders can take longer than anybody wants to wait."""
READ_SECONDS = {Format.AVIF: 30e-9, Format.HEIC: 50e-9, Format.JXL: 100e-9, Format.SVG: math.inf}
"""Seconds a pixel of formats that take long to read; of an SVG its pixels tell nothing."""
COSTLY_SECONDS = 0.5
"""From how many seconds on a picture is costly to read."""


STRIPPED = hashlib.sha256(b"the original without its metadata, 1").hexdigest()[:FINGERPRINT_DIGITS]
"""What stands for a fingerprint where there is no recipe; another number where other things are stripped."""


class Variant(Struct, frozen=True):
    """A picture to be made: by one recipe, or by each of several, of which the smallest result is kept.

    None in place of a recipe is the original without its metadata.
    """

    recipes: tuple[Recipe | None, ...]
    formats: tuple[Format, ...]
    """Of the results, one for each recipe."""

    def fingerprint(self) -> str:
        """32 hexadecimal digits that name what is made."""
        first, *others = (STRIPPED if recipe is None else recipe.fingerprint() for recipe in self.recipes)
        if not others:
            return first
        return hashlib.sha256(" ".join((first, *others)).encode()).hexdigest()[:FINGERPRINT_DIGITS]


def stripped(image: Image) -> Variant:
    """The original without its metadata."""
    return Variant((None,), (image.format,))


def variants(
    image: Image, recipe: Recipe, accepted: AbstractSet[Format] = frozenset()
) -> tuple[Variant, ...]:
    """The best picture for a client that reads the accepted formats, and what can stand in while it is slow.

    Of a picture that is to be tiny every suiting format is made, and none stands in.
    """
    if recipe.auto:
        suiting = _accepted_variants(image, recipe, accepted)
        if output_pixels(image, recipe) <= TINY_PIXELS:
            return (Variant(tuple(recipe.resolved(format) for format in suiting), suiting),)
        return tuple(Variant((recipe.resolved(format),), (format,)) for format in suiting)
    format = output_format(image.format, recipe, has_alpha=image.has_alpha)
    best = Variant((recipe,), (format,))
    if format not in SLOW:
        return (best,)
    # They stand still, and so does what stands in.
    still = replace(recipe, frames=1) if image.frames > 1 else recipe
    others = [other for other in _accepted_variants(image, still, accepted) if other not in SLOW]
    return (best, *(Variant((replace(still, format=other),), (other,)) for other in others))


def varies(image: Image, recipe: Recipe) -> bool:
    """Whether what is delivered depends on the formats that the client reads."""
    return recipe.auto or output_format(image.format, recipe, has_alpha=image.has_alpha) in SLOW


def is_slow(making: Variant) -> bool:
    """Whether nobody should wait for it if it is large."""
    return not SLOW.isdisjoint(making.formats) and len(making.formats) == 1


def is_costly(format: Format | None, pixels: float = math.inf) -> bool:
    """Whether a picture takes long to read; None is a format that isn't known."""
    return format in READ_SECONDS and READ_SECONDS[format] * pixels > COSTLY_SECONDS


def output_pixels(image: Image, recipe: Recipe) -> int:
    """How many pixels a rendition has."""
    planned = plan(image.width, image.height, recipe)
    return planned.width * planned.height


def _accepted_variants(image: Image, recipe: Recipe, accepted: AbstractSet[Format]) -> tuple[Format, ...]:
    return candidates(image.format, recipe, accepted, has_alpha=image.has_alpha, frames=image.frames)
