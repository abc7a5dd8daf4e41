"""How large a picture may be that anybody can ask for: told before any work is done. Pure."""

from msgspec import Struct
from msgspec.structs import replace

from tintype.imaging import (
    ImageRefused,
    Mode,
    OutputLimits,
    Recipe,
    check_output,
    check_writable,
    output_format,
    plan,
    spec,
)
from tintype.imaging.errors import size_in_words
from tintype.model import Error, Image, Kind, LinkTarget

UNBOUNDED = 2**31
"""Pixels of a side that no picture has."""
ALWAYS_WRITABLE = 16_383
"""Pixels of the longest side that every format has room for: WebP's."""


class UnsignedLimits(Struct, frozen=True):
    """Limits for pictures by links without a signature.

    Attributes:
        factor: how many times the original's longest side the longest side may have,
        side: or so many pixels, whichever is more.
        output: the limits for every picture.
    """

    factor: float
    side: int
    output: OutputLimits

    def for_signed(self) -> "UnsignedLimits":
        """The limits for links that only we can write: those on every picture."""
        return replace(self, side=UNBOUNDED)

    def always_accepts(self, mode: Mode, width: int | None, height: int | None) -> bool:
        """Whether such a picture is made of every image: it fills a box, and that is small."""
        if width is None or height is None or mode is Mode.COVER:
            return False
        return self._is_small(max(width, height))

    def accepts(self, source: Image | LinkTarget, mode: Mode, width: int | None, height: int | None) -> bool:
        """Whether such a picture is made. For the usual sizes it is told by a few comparisons."""
        if self._is_plain(source, mode, width, height):
            return True
        try:
            self.require(source, Recipe(mode=mode, width=width, height=height))
        except Error:
            return False
        return True

    def require(self, source: Image | LinkTarget, recipe: Recipe) -> None:
        """Raise INVALID for a picture that is larger than it may be, or than its format can be."""
        planned = plan(source.width, source.height, recipe)
        most = max(self.side, int(self.factor * max(source.width, source.height)))
        if max(planned.width, planned.height) > most:
            size = size_in_words(planned.width, planned.height)
            sentence = f"The result would have {size} pixels; of this image at most {most} a side are made."
            raise Error(Kind.INVALID, sentence)
        # Where no alpha is a JPEG comes of what browsers don't show: it has less room than a PNG.
        target = spec(output_format(source.format, recipe, has_alpha=False))
        try:
            check_output(planned, source.width, source.height, self.output)
            check_writable(planned, target)
        except ImageRefused as refused:
            raise Error(Kind.INVALID, str(refused)) from refused

    def _is_plain(
        self, source: Image | LinkTarget, mode: Mode, width: int | None, height: int | None
    ) -> bool:
        """Whether the result is no larger than the source, or small in any case."""
        across, down = (width or 0) / source.width, (height or 0) / source.height
        if across <= 1 and down <= 1:
            return max(source.width, source.height) <= ALWAYS_WRITABLE
        longest: float = max(width or 0, height or 0)
        if mode is Mode.COVER or not (width and height):
            longest = max(longest, max(source.width, source.height) * max(across, down) + 1)
        return self._is_small(longest)

    def _is_small(self, longest: float) -> bool:
        """Whether a result with such a longest side is always made."""
        small = min(self.side, self.output.max_side, ALWAYS_WRITABLE)
        return longest <= small and longest * longest <= self.output.max_pixels
