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
from tintype.imaging.pipeline.encoder_memory import encoder_bytes
from tintype.model import Error, Image, Invalid, LinkTarget

UNBOUNDED = 2**31
"""A side in pixels that no picture reaches."""
ALWAYS_WRITABLE = 16_383
"""The longest side, in pixels, that every format can store: WebP's limit."""
RESULT_SHARE = 0.85
"""The share of the memory that the result may take; the decoder and resampling take the rest."""
BANDS = 4
"""The most bytes of a pixel in memory."""
MOST_BYTES = 64
"""More bytes per pixel than any result takes."""
DEFERRED = frozenset({Format.AVIF, Format.JXL})
"""Formats for which another stands in while they are encoded, and if they can't be: at best WebP."""


class UnsignedLimits(Struct, frozen=True):
    """Limits on the size of pictures by unsigned links; `for_signed` has those by signed ones.

    Attributes:
        factor: the longest side may be so many times that of the original,
        side: or so many pixels, whichever is larger.
        output: the limits on every picture, signed or not.
        memory: bytes that one picture may take; 0: as many as it needs.
    """

    factor: float
    side: int
    output: OutputLimits
    memory: int = 0

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
        if self._is_plain(source, mode, width, height):
            return True
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
        target = _target(source.format, recipe)
        affordable = self._affordable(recipe, target, has_alpha=source.has_alpha)
        try:
            return within_limits((source.width, source.height), recipe, limits, target, affordable)
        except ImageRefused as refused:
            raise Invalid(str(refused)) from refused

    def _is_plain(
        self, source: Image | LinkTarget, mode: Mode, width: int | None, height: int | None
    ) -> bool:
        """Whether the result is no larger than the source, or always allowed."""
        across, down = (width or 0) / source.width, (height or 0) / source.height
        if across <= 1 and down <= 1:
            scale = max(across, down) or 1
            pixels = source.width * source.height * scale * scale
            return max(source.width, source.height) <= ALWAYS_WRITABLE and self._has_memory(pixels)
        longest: float = max(width or 0, height or 0)
        if mode is Mode.COVER or not (width and height):
            longest = max(longest, max(source.width, source.height) * max(across, down) + 1)
        return self._is_small(longest)

    def _is_small(self, longest: float) -> bool:
        """Whether a result with such a longest side is always allowed."""
        small = min(self.side, self.output.max_side, ALWAYS_WRITABLE)
        pixels = longest * longest
        return longest <= small and pixels <= self.output.max_pixels and self._has_memory(pixels)

    def _has_memory(self, pixels: float) -> bool:
        """Whether there is memory for so many pixels in any format."""
        return not self.memory or pixels * MOST_BYTES <= self.memory * RESULT_SHARE

    def _affordable(self, recipe: Recipe, target: FormatSpec, *, has_alpha: bool) -> int:
        """The most pixels of a result that there is memory for."""
        if not self.memory:
            return UNBOUNDED * UNBOUNDED
        made = Format.WEBP if target.format in DEFERRED else target.format
        copies = (recipe.max_bytes is not None) + has_alpha
        each = encoder_bytes(made, recipe, has_alpha=has_alpha) + copies * BANDS
        return int(self.memory * RESULT_SHARE / each)


def _target(source: Format, recipe: Recipe) -> FormatSpec:
    """The format of the result; of those that it may have the one with the least room."""
    if recipe.auto:
        return spec(Format.WEBP)
    # Formats that browsers don't show become JPEG, or PNG with alpha: assume JPEG, whose limit is lower.
    return spec(output_format(source, recipe, has_alpha=False))
