"""Archived, brought back, and given other bytes."""

from collections.abc import Awaitable

import pytest

from tests import pictures
from tests.core.conftest import Instance, once
from tests.core.rendering import rendition
from tintype.core.delivery.invalidation import find_deliverable
from tintype.core.library import browse
from tintype.core.library.deletion import delete
from tintype.core.library.ingest import examine, stage
from tintype.core.library.update import replace, set_status
from tintype.core.upkeep.check import check
from tintype.imaging import Format, Recipe
from tintype.model import Caller, Error, Image, NotFound, Placement, Status


async def test_an_archived_image_opens_by_no_link_until_it_is_brought_back(instance: Instance) -> None:
    image = await instance.add()
    instance.clock.go(hours=1)
    archived = await set_status(instance.services, instance.anna, image.id, Status.ARCHIVED)
    assert (archived.status, archived.modified_at) == (Status.ARCHIVED, instance.clock())
    assert await browse.find_image(instance.services, instance.anna, image.id) == archived
    for key in (image.id, image.number):
        with pytest.raises(NotFound):
            await find_deliverable(instance.services, "native", key, image.version)
    assert (
        await set_status(instance.services, instance.anna, image.id, Status.ACTIVE)
    ).status is Status.ACTIVE
    assert (await find_deliverable(instance.services, "native", image.id, image.version)).image.id == image.id


async def test_a_status_that_it_has_already_changes_nothing(instance: Instance) -> None:
    image = await instance.add()
    instance.clock.go(hours=1)
    assert await set_status(instance.services, instance.anna, image.id, Status.ACTIVE) == image
    assert await browse.find_image(instance.services, instance.anna, image.id) == image


async def test_what_changes_is_forgotten_by_its_own_process_at_once(instance: Instance) -> None:
    # As if it followed the catalogue's changes, and would learn of none.
    instance.services.record_cache.extend_freshness(float("inf"))
    image = await instance.add()

    async def ends_memory(change: Awaitable[object]) -> None:
        known = await find_deliverable(instance.services, "native", image.id)
        assert instance.services.record_cache.get(image.id) is known
        await change
        assert not known.is_valid
        assert instance.services.record_cache.get(image.id) is None

    await ends_memory(exchange(instance, image, pictures.png(5, 5)))
    await ends_memory(set_status(instance.services, instance.anna, image.id, Status.ARCHIVED))
    await set_status(instance.services, instance.anna, image.id, Status.ACTIVE)
    await ends_memory(delete(instance.services, instance.anna, image.id))


async def test_only_the_owner_changes_an_image(instance: Instance) -> None:
    image = await instance.add()
    with pytest.raises(NotFound):
        await set_status(instance.services, instance.boris, image.id, Status.ARCHIVED)
    with pytest.raises(NotFound):
        await exchange(instance, image, pictures.png(5, 5), caller=instance.boris)
    assert await browse.find_image(instance.services, instance.anna, image.id) == image
    assert len(instance.files()) == 1


async def exchange(
    instance: Instance, image: Image, data: bytes, filename: str = "", caller: Caller | None = None
) -> Image:
    async with stage(instance.services, once(data), len(data)) as staged:
        who = caller or instance.anna
        info = await examine(instance.services, who, staged)
        return await replace(instance.services, who, image.id, staged, info, filename)


async def test_an_image_is_given_other_bytes_and_stays_the_image(instance: Instance) -> None:
    placement = Placement("product", "store", "here")
    image = await instance.add(placement=placement, filename="before.png")
    await rendition(instance.services, image, Recipe(width=4))
    instance.clock.go(hours=1)
    data = pictures.jpeg(60, 40)
    changed = await exchange(instance, image, data, "after.JPG")
    assert (changed.id, changed.number, changed.created_at) == (image.id, image.number, image.created_at)
    assert (changed.version, changed.modified_at) == (2, instance.clock())
    assert (changed.filename, changed.name, changed.extension) == ("after.JPG", "after", "JPG")
    assert (changed.format, changed.width, changed.height, changed.bytes) == (Format.JPEG, 60, 40, len(data))
    assert await browse.find_image(instance.services, instance.anna, image.id) == changed
    assert await browse.attached(instance.services, instance.anna, placement) == [(placement, changed)]
    assert (await find_deliverable(instance.services, "native", image.number)).image == changed
    with pytest.raises(Error, match="no such image"):
        await find_deliverable(instance.services, "native", image.id, 1)
    # Neither the bytes before nor a rendition of them is left.
    assert [name.partition("/")[0] for name in instance.files()] == ["originals"]
    assert instance.original(changed.sha256).read_bytes() == data


async def test_an_image_keeps_its_name_when_the_new_bytes_have_none(instance: Instance) -> None:
    changed = await exchange(instance, await instance.add(filename="harbour.png"), pictures.jpeg())
    # The extension is of the bytes, as it is for an upload.
    assert (changed.filename, changed.name, changed.extension) == ("harbour.png", "harbour", "jpg")


async def test_the_same_bytes_again_are_a_version_too(instance: Instance) -> None:
    data = pictures.png(9, 9)
    image = await instance.add(data=data)
    assert (await exchange(instance, image, data)).version == 2
    assert instance.original(image.sha256).read_bytes() == data


async def test_bytes_that_another_image_has_stay(instance: Instance) -> None:
    data = pictures.png(9, 9)
    first, second = await instance.add(data=data), await instance.add(instance.boris, data)
    await exchange(instance, first, pictures.png(7, 7))
    assert instance.original(second.sha256).read_bytes() == data
    assert [found async for found in check(instance.services, deep=True)] == []


async def test_an_archived_image_stays_archived_with_other_bytes(instance: Instance) -> None:
    image = await instance.add()
    await set_status(instance.services, instance.anna, image.id, Status.ARCHIVED)
    assert (await exchange(instance, image, pictures.png(5, 5))).status is Status.ARCHIVED
