"""How a picture is to be made: a frozen value with a canonical form and a fingerprint."""

import enum
import hashlib

from msgspec import Struct

from tintype.imaging.formats import Format, row

# Part of every fingerprint. Raise it by one whenever the same recipe would make other pixels: renditions kept
# under the old one are then no longer found.
ENGINE_VERSION = 1

FINGERPRINT_DIGITS = 32
QUALITIES = range(1, 101)


class Mode(enum.StrEnum):
    """How the picture meets the box that is asked for.

    SCALE: exactly the box, may distort. COVER: the smallest picture that covers it, one side may be larger.
    COVER_EXACT: covers it, and what hangs over is clipped on both sides alike. FIT: the largest picture that
    fits in it, one side may be smaller. FIT_EXACT: fits in it and is padded to exactly the box.
    """

    SCALE = "scale"
    COVER = "cover"
    COVER_EXACT = "cover-exact"
    FIT = "fit"
    FIT_EXACT = "fit-exact"


class Recipe(Struct, frozen=True, kw_only=True):
    """How to make a rendition.

    Attributes:
        width, height: the box, in pixels; when one is None it follows from the picture's aspect, when both
            are, the box is the picture's own size.
        enlarge: whether a picture smaller than the box is enlarged.
        format: of the rendition; None follows the source.
        quality: 1 to 100; None: the format's default. Formats without a quality pass over it.

    Raises ValueError for a side below 1, a quality out of range, or a format that is a source only.
    """

    mode: Mode = Mode.FIT
    width: int | None = None
    height: int | None = None
    enlarge: bool = True
    format: Format | None = None
    quality: int | None = None

    def __post_init__(self) -> None:
        for side in (self.width, self.height):
            if side is not None and side < 1:
                raise ValueError(f"A side is at least 1 pixel, not {side}.")
        if self.quality is not None and self.quality not in QUALITIES:
            raise ValueError(f"Quality is from 1 to 100, not {self.quality}.")
        if self.format is not None and row(self.format).saver is None:
            raise ValueError(f"{row(self.format).name} is accepted as a source only.")

    def canonical(self) -> str:
        """The recipe in words, one spelling for each, defaults left out: `cover,w=200,h=150,format=webp`."""
        told = (
            ("w", self.width),
            ("h", self.height),
            ("enlarge", None if self.enlarge else "no"),
            ("format", self.format),
            ("q", self.quality),
        )
        return ",".join([self.mode, *(f"{key}={value}" for key, value in told if value is not None)])

    def fingerprint(self) -> str:
        """32 hexadecimal digits that name the recipe as this engine carries it out."""
        text = f"tintype {ENGINE_VERSION} {self.canonical()}"
        return hashlib.sha256(text.encode()).hexdigest()[:FINGERPRINT_DIGITS]
