"""Placeholders: kept with every new image, and made for those that lack one."""

from sqlalchemy import update

from tests import pictures
from tests.core.conftest import Town
from tintype.catalogue import tables
from tintype.core import browse
from tintype.core.placehold import Placeheld, placehold, size
from tintype.imaging import inspect, verify
from tintype.model import Image


async def grow_old(town: Town) -> None:
    """The catalogue as it was before there were placeholders."""
    async with town.house.catalogue.write() as tx:
        await tx.execute(update(tables.images).values(thumbhash=None, colour=None))


async def seen(town: Town, image: Image) -> Image:
    return await browse.one(town.house, town.anna, image.id)


async def test_an_image_comes_in_with_its_placeholder(town: Town) -> None:
    data = pictures.jpeg(300, 200)
    image = await seen(town, await town.add(data=data))
    expected = verify(data, inspect(data))
    assert (image.thumbhash, image.colour) == (expected.thumbhash, expected.colour)
    assert await size(town.house) == 0


async def test_images_of_every_account_get_what_they_lack_and_nothing_else_changes(town: Town) -> None:
    before = [await town.add() for _ in range(3)]
    await town.add(town.boris, data=pictures.png(8, 6, seed=100))
    await grow_old(town)
    town.clock.go(days=1)
    steps: list[None] = []
    assert await size(town.house) == 4
    assert await placehold(town.house, lambda: steps.append(None)) == Placeheld(made=4, unreadable=0)
    assert (await size(town.house), len(steps)) == (0, 4)
    assert [await seen(town, image) for image in before] == before
    assert await placehold(town.house) == Placeheld(made=0, unreadable=0)


async def test_an_original_that_cannot_be_read_is_told_of_and_the_others_go_on(town: Town) -> None:
    gone, damaged, sound = [await town.add() for _ in range(3)]
    await grow_old(town)
    town.house.originals.path(gone.sha256).unlink()
    path = town.house.originals.path(damaged.sha256)
    path.write_bytes(path.read_bytes()[:-40])
    assert await placehold(town.house) == Placeheld(made=1, unreadable=2)
    assert await seen(town, sound) == sound
    assert (await seen(town, damaged)).thumbhash is None


async def test_a_picture_of_nothing_has_a_hash_and_no_colour(town: Town) -> None:
    nothing = pictures.encode(pictures.translucent(4, 4).crop((0, 0, 1, 1)), "png")
    image = await town.add(data=nothing)
    assert image.thumbhash is not None
    assert image.colour is None
    assert await size(town.house) == 0
