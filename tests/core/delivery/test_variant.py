"""Which pictures would answer a link."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from msgspec.structs import replace

from tintype.core.delivery.variant import variants
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
    return ["+".join(making.formats) for making in variants(image, recipe, accepted)]


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
    for making in variants(moving, Recipe(width=800, format=Format.AVIF), EVERYTHING)[1:]:
        assert [recipe and recipe.frames for recipe in making.recipes] == [1]
        assert making.formats != (Format.GIF,)


def test_auto_is_the_best_that_the_client_reads() -> None:
    assert formats(Recipe(width=800, auto=True)) == ["jpeg"]
    assert formats(Recipe(width=800, auto=True), frozenset({Format.WEBP})) == ["webp", "jpeg"]
    assert formats(Recipe(width=800, auto=True), EVERYTHING) == ["avif", "webp", "jpeg"]


@pytest.mark.parametrize(("side", "tiny"), [(128, True), (129, False)])
def test_of_a_tiny_picture_all_are_tried(side: int, *, tiny: bool) -> None:
    recipe = Recipe(mode=Mode.SCALE, width=side, height=128, auto=True)
    assert formats(recipe, EVERYTHING) == (["avif+webp+jpeg"] if tiny else ["avif", "webp", "jpeg"])


def test_auto_shares_the_rendition_with_the_format_that_it_comes_to() -> None:
    best = variants(PHOTO, Recipe(width=800, auto=True), frozenset({Format.WEBP}))[0]
    [same] = variants(PHOTO, Recipe(width=800, format=Format.WEBP))
    assert best.fingerprint() == same.fingerprint() == Recipe(width=800, format=Format.WEBP).fingerprint()


def test_what_is_tried_for_clients_that_read_more_is_another_picture() -> None:
    recipe = Recipe(width=100, auto=True)
    named = {variants(PHOTO, recipe, reads)[0].fingerprint() for reads in (frozenset[Format](), EVERYTHING)}
    assert len(named) == 2
    assert all(len(fingerprint) == 32 for fingerprint in named)
