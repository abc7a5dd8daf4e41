"""The variants of an image that can answer a request: the best for the client, and its stand-ins. Pure."""

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
"""Formats that are slow to encode."""
READ_SECONDS = {Format.AVIF: 30e-9, Format.HEIC: 50e-9, Format.JXL: 100e-9, Format.SVG: math.inf}
"""Seconds per pixel of formats that are slow to decode; the cost of an SVG doesn't follow from its pixels."""
COSTLY_SECONDS = 0.5
"""A picture that takes longer to decode than this is costly."""


STRIPPED = hashlib.sha256(b"the original without its metadata, 2").hexdigest()[:FINGERPRINT_DIGITS]
"""The fingerprint of the stripped original. Change the number in it when other metadata is stripped."""


class Variant(Struct, frozen=True):
    """A picture to be made by one recipe, or by each of several, of which the smallest result is taken.

    None in place of a recipe is the original without its metadata.
    """

    recipes: tuple[Recipe | None, ...]
    formats: tuple[Format, ...]
    """The format of each recipe's result."""

    def fingerprint(self) -> str:
        """32 hexadecimal digits that identify the variant in tags and paths."""
        first, *others = (STRIPPED if recipe is None else recipe.fingerprint() for recipe in self.recipes)
        if not others:
            return first
        return hashlib.sha256(" ".join((first, *others)).encode()).hexdigest()[:FINGERPRINT_DIGITS]

    def tag(self, image: Image) -> str:
        """The tag of this variant of an image, known before it is made."""
        return f"{image.sha256[:16]}-{self.fingerprint()[:16]}"


class Variants(Struct, frozen=True):
    """The variants that can answer a request, chosen once.

    Attributes:
        best: the best for the client.
        stand_ins: others while it is slow, the better first.
        varies: whether they depend on the formats that the client accepts.
    """

    best: Variant
    stand_ins: tuple[Variant, ...] = ()
    varies: bool = False


def stripped(image: Image) -> Variants:
    """The original without its metadata."""
    return Variants(Variant((None,), (image.format,)))


def choose_variants(image: Image, recipe: Recipe, accepted: AbstractSet[Format] = frozenset()) -> Variants:
    """The best variant for a client that accepts these modern formats, and its stand-ins.

    For a tiny picture every suitable format is tried, and there is no stand-in.
    """
    if recipe.auto:
        return _choose_format(image, recipe, _accepted_formats(image, recipe, accepted))
    format = output_format(image.format, recipe, has_alpha=image.has_alpha)
    best = Variant((recipe,), (format,))
    if format not in SLOW:
        return Variants(best)
    # The slow formats are not animated, so neither is the stand-in.
    still = replace(recipe, frames=1) if image.frames > 1 else recipe
    others = [other for other in _accepted_formats(image, still, accepted) if other not in SLOW]
    stand_ins = tuple(Variant((replace(still, format=other),), (other,)) for other in others)
    return Variants(best, stand_ins, varies=True)


def _choose_format(image: Image, recipe: Recipe, suitable: tuple[Format, ...]) -> Variants:
    if output_pixels(image, recipe) <= TINY_PIXELS:
        return Variants(Variant(tuple(recipe.resolved(format) for format in suitable), suitable), varies=True)
    best, *others = (Variant((recipe.resolved(format),), (format,)) for format in suitable)
    return Variants(best, tuple(others), varies=True)


def original_tag(image: Image) -> str:
    """The tag of the original as it is."""
    return image.sha256[:32]


def is_slow(variant: Variant) -> bool:
    """Whether a large one is slow to encode."""
    return not SLOW.isdisjoint(variant.formats) and len(variant.formats) == 1


def is_costly(format: Format | None, pixels: float = math.inf) -> bool:
    """Whether a picture is slow to decode; None is an unknown format."""
    return format in READ_SECONDS and READ_SECONDS[format] * pixels > COSTLY_SECONDS


def output_pixels(image: Image, recipe: Recipe) -> int:
    """The number of pixels of a rendition."""
    planned = plan(image.width, image.height, recipe)
    return planned.width * planned.height


def _accepted_formats(image: Image, recipe: Recipe, accepted: AbstractSet[Format]) -> tuple[Format, ...]:
    return candidates(image.format, recipe, accepted, has_alpha=image.has_alpha, frames=image.frames)
