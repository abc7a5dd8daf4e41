"""Pictures for delivery: made once, kept, and made again when lost."""

import asyncio
import os
from pathlib import Path
from uuid import UUID

import pytest

from tests import pictures
from tests.core.conftest import Town
from tintype.core.render import linked, original, rendition, rendition_tag
from tintype.core.retire import delete
from tintype.imaging import Format, Mode, Recipe
from tintype.model import Error, Kind


async def test_the_original_is_delivered_as_it_came(town: Town) -> None:
    data = pictures.jpeg()
    picture = original(town.house, await town.add(data=data, filename="photo.jpg"))
    assert picture.path.read_bytes() == data
    assert (picture.size, picture.media_type) == (len(data), "image/jpeg")


async def test_a_rendition_is_what_the_recipe_says(town: Town) -> None:
    image = await town.add(data=pictures.png(64, 48))
    picture = await rendition(town.house, image, Recipe(mode=Mode.FIT, width=32, format=Format.WEBP))
    made = pictures.decode(picture.path.read_bytes())
    assert (made.format, made.size) == ("WEBP", (32, 24))
    assert (picture.size, picture.media_type) == (picture.path.stat().st_size, "image/webp")
    assert picture.tag == rendition_tag(image, Recipe(mode=Mode.FIT, width=32, format=Format.WEBP))


async def test_a_second_request_is_served_from_the_cache(town: Town) -> None:
    image = await town.add(data=pictures.png(64, 48))
    first = await rendition(town.house, image, Recipe(width=32))
    # Nothing can be made without the original.
    town.house.originals.remove(image.sha256)
    assert await rendition(town.house, image, Recipe(width=32)) == first
    with pytest.raises(Error) as raised:
        await rendition(town.house, image, Recipe(width=31))
    assert raised.value.kind is Kind.MISSING


async def test_many_at_once_have_it_made_once(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    image = await town.add(data=pictures.png(640, 480))
    put: list[Path] = []
    rename = os.replace

    def watch(source: Path, target: Path) -> None:
        put.append(target)
        rename(source, target)

    # The operating system's own call is watched, and carried out: each rendering puts one file in place.
    monkeypatch.setattr(os, "replace", watch)
    made = await asyncio.gather(*(rendition(town.house, image, Recipe(width=320)) for _ in range(20)))
    assert put == [made[0].path]
    assert all(picture == made[0] for picture in made)


async def test_a_lost_or_empty_rendition_is_made_again(town: Town) -> None:
    image = await town.add(data=pictures.png(64, 48))
    first = await rendition(town.house, image, Recipe(width=32))
    whole = first.path.read_bytes()
    for spoil in (first.path.unlink, lambda: first.path.write_bytes(b"")):
        spoil()
        again = await rendition(town.house, image, Recipe(width=32))
        assert again == first
        assert again.path.read_bytes() == whole


async def test_different_recipes_and_images_have_different_tags(town: Town) -> None:
    one, other = await town.add(), await town.add()
    tags = {rendition_tag(image, Recipe(width=width)) for image in (one, other) for width in (1, 2)}
    assert len(tags | {original(town.house, one).tag, original(town.house, other).tag}) == 6


@pytest.mark.parametrize(
    "recipe", [Recipe(width=1001), Recipe(height=1001), Recipe(mode=Mode.SCALE, width=1, height=10**9)]
)
async def test_a_result_beyond_the_limits_is_invalid(town: Town, recipe: Recipe) -> None:
    image = await town.add()
    with pytest.raises(Error) as raised:
        await rendition(town.house, image, recipe)
    assert raised.value.kind is Kind.INVALID
    assert "1000" in raised.value.message
    assert [name for name in town.files() if name.startswith("renditions/")] == []


async def test_a_link_to_another_version_is_missing(town: Town) -> None:
    image = await town.add()
    assert await linked(town.house, image.id) == await linked(town.house, image.number, 1) == image
    for key, version in ((image.id, 2), (image.number, 0), (UUID(int=1), None), (0, None), (10**30, None)):
        with pytest.raises(Error) as raised:
            await linked(town.house, key, version)
        assert raised.value.kind is Kind.MISSING


async def test_an_image_deleted_while_it_is_drawn_is_missing_or_drawn_but_no_other_error(town: Town) -> None:
    for _ in range(10):
        image = await town.add(data=pictures.png(320, 240))
        drawn, _ = await asyncio.gather(
            rendition(town.house, image, Recipe(width=160)),
            delete(town.house, town.anna, image.id),
            return_exceptions=True,
        )
        assert not isinstance(drawn, BaseException) or (
            isinstance(drawn, Error) and drawn.kind is Kind.MISSING
        )
