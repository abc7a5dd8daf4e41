"""A purge removes all that was made of an image and nothing else, and its receipt says what that was."""

from uuid import UUID

import pytest

from tests import pictures
from tests.core.conftest import Instance, path_of
from tests.core.rendering import rendition
from tintype.catalogue.outbox import Changes, OutboxReader
from tintype.core.delivery.invalidation import find_deliverable
from tintype.core.upkeep.purge import Removed, purge, purge_any
from tintype.imaging import Format, Recipe
from tintype.model import NotFound


async def test_the_receipt_is_what_lay_on_the_disk(instance: Instance) -> None:
    image, other = await instance.add(data=pictures.png(64, 48)), await instance.add()
    recipes = [Recipe(width=20), Recipe(width=30, format=Format.WEBP), Recipe(width=30, format=Format.JPEG)]
    made = [await rendition(instance.services, image, recipe) for recipe in recipes]
    kept = await rendition(instance.services, other, Recipe(width=3))
    receipt = await purge(instance.services, instance.anna, image.id)
    assert receipt.image == image
    assert {(each.format, each.bytes, each.version) for each in receipt.removed} == {
        (Format.PNG, made[0].size, 1),
        (Format.WEBP, made[1].size, 1),
        (Format.JPEG, made[2].size, 1),
    }
    assert {each.recipe for each in receipt.removed} == {recipe.fingerprint() for recipe in recipes}
    assert receipt.bytes() == sum(picture.size for picture in made)
    assert [path_of(picture).exists() for picture in (*made, kept)] == [False, False, False, True]


async def test_what_is_asked_for_afterwards_is_made_again(instance: Instance) -> None:
    image = await instance.add(data=pictures.png(64, 48))
    first = await rendition(instance.services, image, Recipe(width=20))
    await purge(instance.services, instance.anna, image.id)
    assert (await rendition(instance.services, image, Recipe(width=20))).data == first.data
    assert (await find_deliverable(instance.services, "native", image.id)).image == image


async def test_of_an_image_that_nothing_was_made_of_nothing_is_removed(instance: Instance) -> None:
    image = await instance.add()
    assert (await purge(instance.services, instance.anna, image.id)).removed == ()
    assert (await purge_any(instance.services, image.number)).image == image


async def test_it_is_the_owners_to_ask_for(instance: Instance) -> None:
    image = await instance.add(data=pictures.png(64, 48))
    made = await rendition(instance.services, image, Recipe(width=20))
    for caller, id in ((instance.boris, image.id), (instance.anna, UUID(int=1))):
        with pytest.raises(NotFound):
            await purge(instance.services, caller, id)
    assert path_of(made).exists()


async def test_every_process_forgets_it(instance: Instance) -> None:
    image = await instance.add()
    instance.services.record_cache.extend_freshness(1e12)
    known = await find_deliverable(instance.services, "native", image.id)
    assert (await find_deliverable(instance.services, "native", image.id)) is known
    reader = OutboxReader()
    await instance.services.catalogue.read(reader.read, 0.0)
    await purge(instance.services, instance.anna, image.id)
    assert not known.is_valid
    assert await instance.services.catalogue.read(reader.read, 0.0) == Changes((image.id,))


async def test_a_half_written_rendition_is_dropped_and_not_told_of(instance: Instance) -> None:
    image = await instance.add(data=pictures.png(64, 48))
    made = await rendition(instance.services, image, Recipe(width=20))
    path_of(made).with_name("new-1234").write_bytes(b"half")
    receipt = await purge_any(instance.services, image.id)
    assert receipt.removed == (Removed(1, Recipe(width=20).fingerprint(), Format.PNG, made.size),)
    assert not path_of(made).parent.exists()
