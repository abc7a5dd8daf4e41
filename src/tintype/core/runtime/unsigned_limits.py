"""Limits on renditions by links, checked before any work is done. Pure."""

from msgspec import Struct
from msgspec.structs import replace

from tintype.imaging import (
    Format,
    FormatSpec,
    ImageRefused,
    Mode,
    OutputLimits,
    Recipe,
    output_format,
    spec,
    within_limits,
)
from tintype.imaging.extras import require as require_installed
from tintype.model import Error, Image, Invalid, LinkTarget

UNBOUNDED = 2**31
"""A side in pixels that no picture reaches."""
ALWAYS_WRITABLE = 16_383
"""The longest side, in pixels, that every format can store: WebP's limit."""


class UnsignedLimits(Struct, frozen=True):
    """Limits on the size of pictures by unsigned links; `for_signed` has those by signed ones.

    Attributes:
        factor: the longest side may be so many times that of the original,
        side: or so many pixels, whichever is larger.
        output: the limits on every picture, signed or not.
    """

    factor: float
    side: int
    output: OutputLimits

    def for_signed(self) -> "UnsignedLimits":
        """The limits on pictures by signed links: `output` alone."""
        return replace(self, side=UNBOUNDED)

    def always_accepts(self, mode: Mode, width: int | None, height: int | None) -> bool:
        """Whether such a picture is allowed of any image: it fits into a box that is small."""
        if width is None or height is None or mode is Mode.COVER:
            return False
        return self._is_small(max(width, height))

    def accepts(self, source: Image | LinkTarget, mode: Mode, width: int | None, height: int | None) -> bool:
        """Whether such a picture is allowed. The usual sizes take only a few comparisons."""
        try:
            self.fit(source, Recipe(mode=mode, width=width, height=height))
        except Error:
            return False
        return True

    def require(self, source: Image | LinkTarget, recipe: Recipe) -> None:
        """Require that a picture can be made: its size is allowed, and both formats are installed.

        Raises:
            Invalid: when it can't.
        """
        try:
            require_installed(spec(source.format), "read")
            require_installed(_target(source.format, recipe), "made")
        except ImageRefused as refused:
            raise Invalid(str(refused)) from refused
        self.fit(source, recipe)

    def fit(self, source: Image | LinkTarget, recipe: Recipe) -> Recipe:
        """The recipe of the picture that is delivered: capped as by `within_limits`.

        Raises:
            Invalid: when the size that is asked for is not allowed.
        """
        if recipe.dpr == 1 and self._is_plain(source, recipe.mode, recipe.width, recipe.height):
            return recipe
        most = max(self.side, int(self.factor * max(source.width, source.height)))
        limits = replace(self.output, max_side=min(most, self.output.max_side))
        try:
            return within_limits(
                (source.width, source.height), recipe, limits, _target(source.format, recipe)
            )
        except ImageRefused as refused:
            raise Invalid(str(refused)) from refused

    def _is_plain(
        self, source: Image | LinkTarget, mode: Mode, width: int | None, height: int | None
    ) -> bool:
        """Whether the result is no larger than the source, or always allowed."""
        across, down = (width or 0) / source.width, (height or 0) / source.height
        if across <= 1 and down <= 1:
            return max(source.width, source.height) <= ALWAYS_WRITABLE
        longest: float = max(width or 0, height or 0)
        if mode is Mode.COVER or not (width and height):
            longest = max(longest, max(source.width, source.height) * max(across, down) + 1)
        return self._is_small(longest)

    def _is_small(self, longest: float) -> bool:
        """Whether a result with such a longest side is always allowed."""
        small = min(self.side, self.output.max_side, ALWAYS_WRITABLE)
        return longest <= small and longest * longest <= self.output.max_pixels


def _target(source: Format, recipe: Recipe) -> FormatSpec:
    """The format of the result; of those that it may have the one with the least room."""
    if recipe.auto:
        return spec(Format.WEBP)
    # Formats that browsers don't show become JPEG, or PNG with alpha: assume JPEG, whose limit is lower.
    return spec(output_format(source, recipe, has_alpha=False))
