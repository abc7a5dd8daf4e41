"""Which pictures would answer a link."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from msgspec.structs import replace

from tintype.core.delivery.variant import choose_variants
from tintype.imaging import Format, Mode, Recipe
from tintype.model import Image, Person, Status

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ANNA = Person(1, "Anna")
PHOTO = Image(
    id=UUID(int=1),
    number=1,
    account_id=UUID(int=2),
    filename="photo.jpg",
    name="photo",
    extension="jpg",
    format=Format.JPEG,
    sha256="0" * 64,
    bytes=1,
    width=4000,
    height=3000,
    frames=1,
    has_alpha=False,
    status=Status.ACTIVE,
    version=1,
    created_by=ANNA,
    created_at=NOW,
    modified_by=ANNA,
    modified_at=NOW,
)
EVERYTHING = frozenset({Format.AVIF, Format.WEBP})


def formats(recipe: Recipe, accepted: frozenset[Format] = frozenset(), image: Image = PHOTO) -> list[str]:
    """What would be made, the best first; joined where several are tried."""
    variants = choose_variants(image, recipe, accepted)
    return ["+".join(variant.formats) for variant in (variants.best, *variants.stand_ins)]


def test_a_format_that_is_quickly_made_needs_no_stand_in() -> None:
    assert formats(Recipe(width=800)) == ["jpeg"]
    assert formats(Recipe(width=800, format=Format.WEBP), EVERYTHING) == ["webp"]
    assert formats(Recipe(width=800), image=replace(PHOTO, format=Format.TIFF, has_alpha=True)) == ["png"]


def test_for_an_avif_something_stands_in_that_the_client_reads() -> None:
    assert formats(Recipe(width=800, format=Format.AVIF)) == ["avif", "jpeg"]
    assert formats(Recipe(width=800, format=Format.AVIF), EVERYTHING) == ["avif", "webp", "jpeg"]
    assert formats(Recipe(width=800), image=replace(PHOTO, format=Format.AVIF)) == ["avif", "jpeg"]


def test_what_stands_in_for_a_still_picture_stands_still() -> None:
    moving = replace(PHOTO, format=Format.GIF, frames=9)
    stand_ins = choose_variants(moving, Recipe(width=800, format=Format.AVIF), EVERYTHING).stand_ins
    assert [variant.formats for variant in stand_ins] == [(Format.WEBP,), (Format.PNG,)]
    assert [recipe and recipe.frames for variant in stand_ins for recipe in variant.recipes] == [1, 1]


def test_auto_is_the_best_that_the_client_reads() -> None:
    assert formats(Recipe(width=800, auto=True)) == ["jpeg"]
    assert formats(Recipe(width=800, auto=True), frozenset({Format.WEBP})) == ["webp", "jpeg"]
    assert formats(Recipe(width=800, auto=True), EVERYTHING) == ["avif", "webp", "jpeg"]


@pytest.mark.parametrize(("side", "tiny"), [(128, True), (129, False)])
def test_of_a_tiny_picture_all_are_tried(side: int, *, tiny: bool) -> None:
    recipe = Recipe(mode=Mode.SCALE, width=side, height=128, auto=True)
    assert formats(recipe, EVERYTHING) == (["avif+webp+jpeg"] if tiny else ["avif", "webp", "jpeg"])


def test_auto_shares_the_rendition_with_the_format_that_it_comes_to() -> None:
    best = choose_variants(PHOTO, Recipe(width=800, auto=True), frozenset({Format.WEBP})).best
    same = choose_variants(PHOTO, Recipe(width=800, format=Format.WEBP)).best
    assert best.fingerprint() == same.fingerprint() == Recipe(width=800, format=Format.WEBP).fingerprint()


def test_what_is_tried_for_clients_that_read_more_is_another_picture() -> None:
    recipe = Recipe(width=100, auto=True)
    reads = (frozenset[Format](), EVERYTHING)
    named = {choose_variants(PHOTO, recipe, formats).best.fingerprint() for formats in reads}
    assert len(named) == 2
    assert all(len(fingerprint) == 32 for fingerprint in named)


@pytest.mark.parametrize(
    ("recipe", "varies"),
    [
        (Recipe(width=800), False),
        (Recipe(width=800, format=Format.WEBP), False),
        (Recipe(width=800, format=Format.AVIF), True),
        (Recipe(width=800, auto=True), True),
        (Recipe(width=8, auto=True), True),
    ],
)
def test_what_is_answered_varies_where_the_format_is_chosen_for_the_client(
    recipe: Recipe, *, varies: bool
) -> None:
    chosen = [choose_variants(PHOTO, recipe, accepted) for accepted in (frozenset[Format](), EVERYTHING)]
    assert [variants.varies for variants in chosen] == [varies, varies]
    assert (chosen[0] != chosen[1]) is varies
