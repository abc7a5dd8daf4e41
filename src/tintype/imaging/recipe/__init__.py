"""Recipes: how to make a rendition, as a frozen value with a canonical form and a fingerprint."""

import enum
import hashlib
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from tintype.imaging.formats import Format, spec
from tintype.imaging.recipe.colour import Colour

# Part of every fingerprint. Increase it whenever a recipe produces different pixels than before: renditions
# cached by the old engine are then no longer found.
ENGINE_VERSION = 4

FINGERPRINT_DIGITS = 32
QUALITIES = range(1, 101)
MIN_DPR, MAX_DPR = 0.1, 8.0
CACHE_SIZE = 1000  # recipes whose normal forms and fingerprints are cached
FOCAL_DECIMALS = 4  # finer than a pixel of the longest side of a rendition


class Mode(enum.StrEnum):
    """How the image is fitted to the requested box.

    SCALE: exactly the box, may distort. COVER: the smallest size that covers the box, one side may be larger.
    COVER_EXACT: covers the box, the overhang is cropped equally at both ends unless the recipe says what to
    keep. FIT: the largest size that fits in the box, one side may be smaller. FIT_EXACT: fits in the box and
    is padded to exactly the box.
    """

    SCALE = "scale"
    COVER = "cover"
    COVER_EXACT = "cover-exact"
    FIT = "fit"
    FIT_EXACT = "fit-exact"


class Crop(enum.StrEnum):
    """What COVER_EXACT keeps: the centre, the most salient region, or the region with the most detail."""

    CENTRE = "centre"
    ATTENTION = "attention"
    ENTROPY = "entropy"


class Focal(Struct, frozen=True):
    """The point to keep visible, as fractions (0 to 1) of the upright image from its top left corner.

    Raises:
        ValueError: when a fraction is out of range.
    """

    x: float
    y: float

    def __post_init__(self) -> None:
        if not (0 <= self.x <= 1 and 0 <= self.y <= 1):
            raise ValueError(f"A focal point is from 0 to 1 in both directions, not {self.x}, {self.y}.")

    def __str__(self) -> str:
        return f"{self.x:.{FOCAL_DECIMALS}f}x{self.y:.{FOCAL_DECIMALS}f}"

    def rounded(self) -> "Focal":
        """The point, rounded to `FOCAL_DECIMALS`."""
        return Focal(abs(round(self.x, FOCAL_DECIMALS)), abs(round(self.y, FOCAL_DECIMALS)))


class Recipe(Struct, frozen=True, kw_only=True):
    """How to make a rendition.

    Attributes:
        width, height: the box, in pixels. If one is None it follows from the image's aspect ratio; if both
            are, the box is the image's own size.
        dpr: device pixel ratio, 0.1 to 8: width and height are multiplied by it, rounded to the nearest
            pixel, halves up, and at least 1.
        enlarge: whether an image smaller than the box is enlarged.
        focal: the point that COVER_EXACT keeps as close to the centre as possible.
        crop: what COVER_EXACT looks for instead; with a focal point only CENTRE.
        background: the colour under transparent pixels, and of padding. None: white under transparent pixels
            if the format has no alpha; transparent padding, or black if the format has no alpha.
        format: of the rendition; None: the source's.
        auto: the format depends on the client; `resolved` fills it in.
        quality: 1 to 100; None: the format's default. Ignored by formats without a quality.
        lossless: encode without loss, if the format can.
        max_bytes: the intended maximum size of the file; quality is reduced for it.
        frames: the maximum number of frames of an animation; None: all that the limits allow.
        linear: resample in linear light instead of sRGB: slower, more accurate for fine bright detail.

    Raises:
        ValueError: when a value is out of range, the format is source only, or two values exclude each other
            (a focal point and a crop that looks for one; auto and a format).
    """

    mode: Mode = Mode.FIT
    width: int | None = None
    height: int | None = None
    dpr: float = 1.0
    enlarge: bool = True
    focal: Focal | None = None
    crop: Crop = Crop.CENTRE
    background: Colour | None = None
    format: Format | None = None
    auto: bool = False
    quality: int | None = None
    lossless: bool = False
    max_bytes: int | None = None
    frames: int | None = None
    linear: bool = False

    def __post_init__(self) -> None:
        for complaint in _violations(self):
            raise ValueError(complaint)

    def normal(self) -> "Recipe":
        """The normal form: the same for all recipes that produce the same result for every source.

        `dpr` is multiplied into the sides and set to 1; fields without effect have their defaults.
        """
        return _normal(self)

    def resolved(self, format: Format) -> "Recipe":
        """The recipe with `auto` replaced by this format; other recipes are unchanged."""
        return replace(self, format=format, auto=False) if self.auto else self

    def params(self) -> dict[str, str]:
        """The normal form as parameters for `parse_params`, in canonical order, without defaults."""
        return dict(_params(self))

    def canonical(self) -> str:
        """The normal form on one line: `cover,w=200,format=webp`."""
        mode, *rest = _params(self)
        return ",".join([mode[1], *(f"{key}={value}" for key, value in rest)])

    def fingerprint(self) -> str:
        """32 hexadecimal digits that identify the recipe and the version of the engine."""
        return _fingerprint(self)


# Cached: every request needs these several times.
@lru_cache(CACHE_SIZE)
def _normal(recipe: Recipe) -> Recipe:
    enlarge = recipe.enlarge or (recipe.width is None and recipe.height is None)
    pads_what_is_small = recipe.mode is Mode.FIT_EXACT and not enlarge
    has_both = recipe.width is not None and recipe.height is not None
    clips = recipe.mode is Mode.COVER_EXACT and has_both
    return replace(
        recipe,
        # With one side missing the other follows from the aspect ratio, so all modes give the same result.
        mode=recipe.mode if has_both or pads_what_is_small else Mode.FIT,
        width=_multiplied(recipe.width, recipe.dpr),
        height=_multiplied(recipe.height, recipe.dpr),
        dpr=1.0,
        enlarge=enlarge,
        focal=_off_centre(recipe.focal) if clips else None,
        crop=recipe.crop if clips else Crop.CENTRE,
    )


@lru_cache(CACHE_SIZE)
def _params(recipe: Recipe) -> tuple[tuple[str, str], ...]:
    normal = recipe.normal()
    params = ((key, str(value)) for key, value in _fields(normal) if value is not None)
    return (("mode", normal.mode.value), *params)


@lru_cache(CACHE_SIZE)
def _fingerprint(recipe: Recipe) -> str:
    text = f"tintype {ENGINE_VERSION} {recipe.canonical()}"
    return hashlib.sha256(text.encode()).hexdigest()[:FINGERPRINT_DIGITS]


def _violations(recipe: Recipe) -> Iterator[str]:
    """The violated rules, one sentence each."""
    for side in (recipe.width, recipe.height):
        if side is not None and side < 1:
            yield f"A side is at least 1 pixel, not {side}."
    if not MIN_DPR <= recipe.dpr <= MAX_DPR:  # also true for NaN
        yield f"The device pixel ratio is from {MIN_DPR:g} to {MAX_DPR:g}, not {recipe.dpr:g}."
    if recipe.focal is not None and recipe.crop is not Crop.CENTRE:
        yield "A focal point says already what to keep: leave out the crop, or the point."
    yield from _encoding_violations(recipe)


def _encoding_violations(recipe: Recipe) -> Iterator[str]:
    if recipe.format is not None and spec(recipe.format).saver is None:
        yield f"{spec(recipe.format).name} is accepted as a source only."
    if recipe.format is not None and recipe.auto:
        yield "The format is either given or chosen automatically, not both."
    if recipe.lossless and recipe.format is not None and spec(recipe.format).lossless is None:
        yield f"{spec(recipe.format).name} can't be lossless: ask for PNG, WebP or AVIF."
    if recipe.quality is not None and recipe.quality not in QUALITIES:
        yield f"Quality is from 1 to 100, not {recipe.quality}."
    if recipe.max_bytes is not None and recipe.max_bytes < 1:
        yield f"A rendition has at least 1 byte, not {recipe.max_bytes}."
    if recipe.frames is not None and recipe.frames < 1:
        yield f"A rendition has at least 1 frame, not {recipe.frames}."


def _multiplied(side: int | None, dpr: float) -> int | None:
    """The side in device pixels, computed in decimals: 1.15 times 10 is exactly 11.5."""
    if side is None or dpr == 1:
        return side
    return max(1, int(side * Fraction(str(dpr)) + Fraction(1, 2)))


def _off_centre(focal: Focal | None) -> Focal | None:
    """The rounded point; None if it is the centre, the default."""
    point = None if focal is None else focal.rounded()
    return None if point == Focal(0.5, 0.5) else point


def _fields(recipe: Recipe) -> tuple[tuple[str, object], ...]:
    """The fields of a normal form by their names in the canonical form; None is left out."""
    return (
        ("w", recipe.width),
        ("h", recipe.height),
        ("enlarge", None if recipe.enlarge else "no"),
        ("focal", recipe.focal),
        ("crop", None if recipe.crop is Crop.CENTRE else recipe.crop),
        ("background", recipe.background),
        ("format", "auto" if recipe.auto else recipe.format),
        ("q", recipe.quality),
        ("lossless", "yes" if recipe.lossless else None),
        ("max-bytes", recipe.max_bytes),
        ("frames", recipe.frames),
        ("linear", "yes" if recipe.linear else None),
    )
