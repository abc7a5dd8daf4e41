"""Format negotiation: the formats for `auto`."""

import pytest

from tintype.imaging import Format, Recipe
from tintype.imaging.recipe.auto import accepted, candidates

CHROME = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
SAFARI_14 = "image/webp,image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5"
BOTH = frozenset({Format.AVIF, Format.WEBP})
NOTHING: frozenset[Format] = frozenset()


@pytest.mark.parametrize(
    ("header", "formats"),
    [
        (CHROME, BOTH),
        (SAFARI_14, {Format.WEBP}),
        ("", set()),
        ("*/*", set()),
        ("image/*", set()),
        ("image/jpeg, image/png", set()),
        ("IMAGE/WebP", {Format.WEBP}),
        (" image/webp ; q=0.1 ", {Format.WEBP}),
        ("image/webp;q=0", set()),
        ("image/webp; q=0.000, image/avif;q=1", {Format.AVIF}),
        ("image/webp;Q=0", set()),
        ("image/avif;v=1;q=0", set()),
        ("image/webpx,ximage/webp,image/webp image/avif", set()),
        (",,;,", set()),
    ],
)
def test_only_what_is_named_is_accepted(header: str, formats: set[Format]) -> None:
    assert accepted(header) == formats


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
