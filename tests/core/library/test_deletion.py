"""Taking images out: the record first, its bytes only when nobody else needs them."""

import asyncio

import pytest
from sqlalchemy import select

from tests import pictures
from tests.core.conftest import Instance
from tests.core.rendering import rendition
from tintype.catalogue import Transaction, tables
from tintype.core.delivery.invalidation import find_deliverable
from tintype.core.library import browse
from tintype.core.library.deletion import delete
from tintype.core.upkeep.check import check
from tintype.imaging import Recipe
from tintype.model import Caller, Error, Image, NotFound, Placement

ROUNDS = 25


async def faults(instance: Instance) -> list[str]:
    return [found.fault.value async for found in check(instance.services, deep=True)]


async def test_a_deleted_image_leaves_nothing(instance: Instance) -> None:
    image = await instance.add()
    await rendition(instance.services, image, Recipe(width=4))
    await delete(instance.services, instance.anna, image.id)
    assert instance.files() == []
    with pytest.raises(Error, match="no such image"):
        await find_deliverable(instance.services, "native", image.id)
    with pytest.raises(Error, match="no such image"):
        await browse.find_image(instance.services, instance.anna, image.id)


@pytest.mark.parametrize("sharer", ["the same account", "another account"])
async def test_bytes_stay_as_long_as_another_image_has_them(instance: Instance, sharer: str) -> None:
    data = pictures.png()
    first = await instance.add(instance.anna, data)
    second = await instance.add(
        instance.anna if sharer == "the same account" else instance.boris, data, "copy.png"
    )
    await delete(instance.services, instance.anna, first.id)
    assert instance.original(second.sha256).read_bytes() == data
    await delete(
        instance.services, instance.anna if sharer == "the same account" else instance.boris, second.id
    )
    assert not instance.has_original(second.sha256)


async def test_another_accounts_image_is_missing_and_stays(instance: Instance) -> None:
    image = await instance.add(instance.anna)
    with pytest.raises(NotFound):
        await delete(instance.services, instance.boris, image.id)
    assert await browse.find_image(instance.services, instance.anna, image.id) == image
    assert instance.has_original(image.sha256)


async def test_an_image_is_deleted_only_from_where_it_hangs(instance: Instance) -> None:
    here, there = Placement("product", "store", "here"), Placement("product", "store", "there")
    image, other = await instance.add(placement=here), await instance.add(placement=there)
    with pytest.raises(NotFound):
        await delete(instance.services, instance.anna, image.id, there)
    await delete(instance.services, instance.anna, image.id, here)
    assert await browse.attached(instance.services, instance.anna, here) == []
    assert [kept for _, kept in await browse.attached(instance.services, instance.anna, there)] == [other]


async def test_of_two_deletes_at_once_one_finds_the_image(instance: Instance) -> None:
    image = await instance.add()
    outcomes = await asyncio.gather(
        *(delete(instance.services, instance.anna, image.id) for _ in range(4)), return_exceptions=True
    )
    assert sorted(str(outcome) for outcome in outcomes) == ["None", *["There is no such image."] * 3]


async def test_a_delete_beside_an_upload_of_the_same_bytes_never_takes_its_bytes(instance: Instance) -> None:
    data = pictures.png()
    old: list[tuple[Caller, Image]] = [(instance.anna, await instance.add(instance.anna, data))]
    for turn in range(ROUNDS):
        caller = (instance.anna, instance.boris)[turn % 2]
        coming = asyncio.create_task(instance.add(caller, data))
        await asyncio.gather(*(delete(instance.services, owner, image.id) for owner, image in old), coming)
        new = coming.result()
        assert instance.original(new.sha256).read_bytes() == data
        old = [(caller, new)]
    assert await faults(instance) == []


async def test_a_delete_that_is_broken_off_never_takes_the_bytes_of_an_upload(instance: Instance) -> None:
    data = pictures.png()
    for turn in range(ROUNDS):
        old = await instance.add(data=data)
        gone = asyncio.create_task(delete(instance.services, instance.anna, old.id))
        coming = asyncio.create_task(instance.add(data=data))
        for _ in range(turn):
            await asyncio.sleep(0)
        gone.cancel()
        await asyncio.wait([gone])
        new = await coming
        assert instance.has_original(new.sha256)
        await delete(instance.services, instance.anna, new.id)


async def test_a_delete_that_is_cancelled_is_carried_out(instance: Instance) -> None:
    """Otherwise its lease would hold up uploads of the same bytes."""
    image = await instance.add()
    deleting = asyncio.create_task(delete(instance.services, instance.anna, image.id))
    await asyncio.sleep(0)
    for _ in range(3):
        deleting.cancel()
        await asyncio.sleep(0)
    await asyncio.wait([deleting])
    assert deleting.cancelled()
    assert instance.files() == []
    assert await instance.services.catalogue.read(held) == 0


def held(tx: Transaction) -> int:
    """How many leases there are."""
    return len(list(tx.execute(select(tables.leases))))
