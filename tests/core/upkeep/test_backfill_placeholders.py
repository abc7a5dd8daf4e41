"""Placeholders: kept with every new image, and made for those that lack one."""

from sqlalchemy import update

from tests import pictures
from tests.core.conftest import Instance
from tintype.catalogue import tables
from tintype.core.library import browse
from tintype.core.upkeep.backfill_placeholders import BackfillResult, backfill_placeholders, count_steps
from tintype.imaging import inspect, verify
from tintype.model import Image


async def grow_old(instance: Instance) -> None:
    """The catalogue as it was before there were placeholders."""
    bare = update(tables.images).values(thumbhash=None, colour=None)
    await instance.services.catalogue.write(lambda tx: tx.execute(bare))


async def seen(instance: Instance, image: Image) -> Image:
    return await browse.find_image(instance.services, instance.anna, image.id)


async def test_an_image_comes_in_with_its_placeholder(instance: Instance) -> None:
    data = pictures.jpeg(300, 200)
    image = await seen(instance, await instance.add(data=data))
    expected = verify(data, inspect(data))
    assert (image.thumbhash, image.colour) == (expected.thumbhash, expected.colour)
    assert await count_steps(instance.services) == 0


async def test_images_of_every_account_get_what_they_lack_and_nothing_else_changes(
    instance: Instance,
) -> None:
    before = [await instance.add() for _ in range(3)]
    await instance.add(instance.boris, data=pictures.png(8, 6, seed=100))
    await grow_old(instance)
    instance.clock.go(days=1)
    steps: list[None] = []
    assert await count_steps(instance.services) == 4
    assert await backfill_placeholders(instance.services, lambda: steps.append(None)) == BackfillResult(
        made=4, unreadable=0
    )
    assert (await count_steps(instance.services), len(steps)) == (0, 4)
    assert [await seen(instance, image) for image in before] == before
    assert await backfill_placeholders(instance.services) == BackfillResult(made=0, unreadable=0)


async def test_an_original_that_cannot_be_read_is_told_of_and_the_others_go_on(instance: Instance) -> None:
    gone, damaged, sound = [await instance.add() for _ in range(3)]
    await grow_old(instance)
    instance.original(gone.sha256).unlink()
    path = instance.original(damaged.sha256)
    path.write_bytes(path.read_bytes()[:-40])
    assert await backfill_placeholders(instance.services) == BackfillResult(made=1, unreadable=2)
    assert await seen(instance, sound) == sound
    assert (await seen(instance, damaged)).thumbhash is None


async def test_a_picture_of_nothing_has_a_hash_and_no_colour(instance: Instance) -> None:
    nothing = pictures.encode(pictures.translucent(4, 4).crop((0, 0, 1, 1)), "png")
    image = await instance.add(data=nothing)
    assert image.thumbhash is not None
    assert image.colour is None
    assert await count_steps(instance.services) == 0
