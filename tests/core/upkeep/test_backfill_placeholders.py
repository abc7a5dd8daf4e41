"""Placeholders: kept with every new image, and made for those that lack one."""

from sqlalchemy import update

from tests import pictures
from tests.core.conftest import Town
from tintype.catalogue import tables
from tintype.core.library import browse
from tintype.core.upkeep.backfill_placeholders import BackfillResult, backfill_placeholders, count_steps
from tintype.imaging import inspect, verify
from tintype.model import Image


async def grow_old(town: Town) -> None:
    """The catalogue as it was before there were placeholders."""
    bare = update(tables.images).values(thumbhash=None, colour=None)
    await town.services.catalogue.write(lambda tx: tx.execute(bare))


async def seen(town: Town, image: Image) -> Image:
    return await browse.find_image(town.services, town.anna, image.id)


async def test_an_image_comes_in_with_its_placeholder(town: Town) -> None:
    data = pictures.jpeg(300, 200)
    image = await seen(town, await town.add(data=data))
    expected = verify(data, inspect(data))
    assert (image.thumbhash, image.colour) == (expected.thumbhash, expected.colour)
    assert await count_steps(town.services) == 0


async def test_images_of_every_account_get_what_they_lack_and_nothing_else_changes(town: Town) -> None:
    before = [await town.add() for _ in range(3)]
    await town.add(town.boris, data=pictures.png(8, 6, seed=100))
    await grow_old(town)
    town.clock.go(days=1)
    steps: list[None] = []
    assert await count_steps(town.services) == 4
    assert await backfill_placeholders(town.services, lambda: steps.append(None)) == BackfillResult(
        made=4, unreadable=0
    )
    assert (await count_steps(town.services), len(steps)) == (0, 4)
    assert [await seen(town, image) for image in before] == before
    assert await backfill_placeholders(town.services) == BackfillResult(made=0, unreadable=0)


async def test_an_original_that_cannot_be_read_is_told_of_and_the_others_go_on(town: Town) -> None:
    gone, damaged, sound = [await town.add() for _ in range(3)]
    await grow_old(town)
    town.original(gone.sha256).unlink()
    path = town.original(damaged.sha256)
    path.write_bytes(path.read_bytes()[:-40])
    assert await backfill_placeholders(town.services) == BackfillResult(made=1, unreadable=2)
    assert await seen(town, sound) == sound
    assert (await seen(town, damaged)).thumbhash is None


async def test_a_picture_of_nothing_has_a_hash_and_no_colour(town: Town) -> None:
    nothing = pictures.encode(pictures.translucent(4, 4).crop((0, 0, 1, 1)), "png")
    image = await town.add(data=nothing)
    assert image.thumbhash is not None
    assert image.colour is None
    assert await count_steps(town.services) == 0
