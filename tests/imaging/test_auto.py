"""Format negotiation: the formats for `auto`."""

import pytest

from tintype.imaging import Format, Recipe
from tintype.imaging.recipe.auto import candidates

BOTH = frozenset({Format.AVIF, Format.WEBP})
NOTHING: frozenset[Format] = frozenset()


@pytest.mark.parametrize(
    ("source", "recipe", "alpha", "frames", "reads", "formats"),
    [
        (Format.JPEG, Recipe(auto=True), False, 1, BOTH, "avif webp jpeg"),
        (Format.JPEG, Recipe(auto=True), False, 1, {Format.WEBP}, "webp jpeg"),
        (Format.JPEG, Recipe(auto=True), False, 1, NOTHING, "jpeg"),
        (Format.PNG, Recipe(auto=True), False, 1, NOTHING, "png"),
        (Format.PNG, Recipe(auto=True), True, 1, BOTH, "avif webp png"),
        (Format.WEBP, Recipe(auto=True), True, 1, NOTHING, "png"),
        (Format.WEBP, Recipe(auto=True), False, 1, NOTHING, "jpeg"),
        (Format.AVIF, Recipe(auto=True), False, 1, NOTHING, "jpeg"),
        (Format.TIFF, Recipe(auto=True), False, 1, NOTHING, "jpeg"),
        (Format.GIF, Recipe(auto=True), True, 1, NOTHING, "png"),
        (Format.GIF, Recipe(auto=True), True, 9, BOTH, "webp gif"),
        (Format.WEBP, Recipe(auto=True), False, 9, NOTHING, "gif"),
        (Format.GIF, Recipe(auto=True, frames=1), False, 9, BOTH, "avif webp png"),
        (Format.PNG, Recipe(auto=True), False, 9, BOTH, "avif webp png"),  # of an APNG it is the first frame
        (Format.JPEG, Recipe(auto=True, lossless=True), False, 1, BOTH, "webp png"),
    ],
)
def test_the_best_comes_first_and_last_what_everybody_reads(
    source: Format, recipe: Recipe, *, alpha: bool, frames: int, reads: frozenset[Format], formats: str
) -> None:
    assert " ".join(candidates(source, recipe, reads, has_alpha=alpha, frames=frames)) == formats
