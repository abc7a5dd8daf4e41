"""Taking images out: the record first, its bytes only when nobody else needs them."""

import asyncio

import pytest
from sqlalchemy import select

from tests import pictures
from tests.core.conftest import Town
from tests.core.rendering import rendition
from tintype.catalogue import Transaction, tables
from tintype.core.delivery.invalidation import find_deliverable
from tintype.core.library import browse
from tintype.core.library.deletion import delete
from tintype.core.upkeep.check_and_gc import check
from tintype.imaging import Recipe
from tintype.model import Caller, Error, Image, NotFound, Placement

ROUNDS = 25


async def faults(town: Town) -> list[str]:
    return [found.fault.value async for found in check(town.services, deep=True)]


async def test_a_deleted_image_leaves_nothing(town: Town) -> None:
    image = await town.add()
    await rendition(town.services, image, Recipe(width=4))
    await delete(town.services, town.anna, image.id)
    assert town.files() == []
    with pytest.raises(Error, match="no such image"):
        await find_deliverable(town.services, "native", image.id)
    with pytest.raises(Error, match="no such image"):
        await browse.find_image(town.services, town.anna, image.id)


@pytest.mark.parametrize("sharer", ["the same account", "another account"])
async def test_bytes_stay_as_long_as_another_image_has_them(town: Town, sharer: str) -> None:
    data = pictures.png()
    first = await town.add(town.anna, data)
    second = await town.add(town.anna if sharer == "the same account" else town.boris, data, "copy.png")
    await delete(town.services, town.anna, first.id)
    assert town.original(second.sha256).read_bytes() == data
    await delete(town.services, town.anna if sharer == "the same account" else town.boris, second.id)
    assert not town.has_original(second.sha256)


async def test_another_accounts_image_is_missing_and_stays(town: Town) -> None:
    image = await town.add(town.anna)
    with pytest.raises(NotFound):
        await delete(town.services, town.boris, image.id)
    assert await browse.find_image(town.services, town.anna, image.id) == image
    assert town.has_original(image.sha256)


async def test_an_image_is_deleted_only_from_where_it_hangs(town: Town) -> None:
    here, there = Placement("product", "store", "here"), Placement("product", "store", "there")
    image, other = await town.add(placement=here), await town.add(placement=there)
    with pytest.raises(NotFound):
        await delete(town.services, town.anna, image.id, there)
    await delete(town.services, town.anna, image.id, here)
    assert await browse.attached(town.services, town.anna, here) == []
    assert [kept for _, kept in await browse.attached(town.services, town.anna, there)] == [other]


async def test_of_two_deletes_at_once_one_finds_the_image(town: Town) -> None:
    image = await town.add()
    outcomes = await asyncio.gather(
        *(delete(town.services, town.anna, image.id) for _ in range(4)), return_exceptions=True
    )
    assert sorted(str(outcome) for outcome in outcomes) == ["None", *["There is no such image."] * 3]


async def test_a_delete_beside_an_upload_of_the_same_bytes_never_takes_its_bytes(town: Town) -> None:
    data = pictures.png()
    old: list[tuple[Caller, Image]] = [(town.anna, await town.add(town.anna, data))]
    for turn in range(ROUNDS):
        caller = (town.anna, town.boris)[turn % 2]
        coming = asyncio.create_task(town.add(caller, data))
        await asyncio.gather(*(delete(town.services, owner, image.id) for owner, image in old), coming)
        new = coming.result()
        assert town.original(new.sha256).read_bytes() == data
        old = [(caller, new)]
    assert await faults(town) == []


async def test_a_delete_that_is_broken_off_never_takes_the_bytes_of_an_upload(town: Town) -> None:
    data = pictures.png()
    for turn in range(ROUNDS):
        old = await town.add(data=data)
        gone = asyncio.create_task(delete(town.services, town.anna, old.id))
        coming = asyncio.create_task(town.add(data=data))
        for _ in range(turn):
            await asyncio.sleep(0)
        gone.cancel()
        await asyncio.wait([gone])
        new = await coming
        assert town.has_original(new.sha256)
        await delete(town.services, town.anna, new.id)


async def test_a_delete_that_is_cancelled_is_carried_out(town: Town) -> None:
    """Otherwise its lease would hold up uploads of the same bytes."""
    image = await town.add()
    deleting = asyncio.create_task(delete(town.services, town.anna, image.id))
    await asyncio.sleep(0)
    for _ in range(3):
        deleting.cancel()
        await asyncio.sleep(0)
    await asyncio.wait([deleting])
    assert deleting.cancelled()
    assert town.files() == []
    assert await town.services.catalogue.read(held) == 0


def held(tx: Transaction) -> int:
    """How many leases there are."""
    return len(list(tx.execute(select(tables.leases))))
