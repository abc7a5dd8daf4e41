"""Usage of accounts: kept exact when images are added, replaced and deleted."""

from datetime import timedelta
from uuid import UUID, uuid4

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.catalogue.conftest import BLANK, NOON, Shelf
from tintype.catalogue import accounts, images, usage
from tintype.model import Account, QuotaOverrides, Usage

steps = st.lists(
    st.tuples(st.sampled_from(["add", "replace", "delete"]), st.booleans(), st.integers(0, 2**40)),
    max_size=25,
)


async def held(shelf: Shelf, account: Account) -> Usage:
    async with shelf.database.read() as tx:
        return await usage.get(tx, account.id)


async def miscounted(shelf: Shelf) -> list[str]:
    async with shelf.database.read() as tx:
        return await usage.mismatches(tx)


async def test_an_account_without_images_holds_nothing(shelf: Shelf) -> None:
    assert await held(shelf, shelf.north) == Usage(0, 0)


@settings(max_examples=20)
@given(steps)
async def test_whatever_is_done_the_sums_are_those_of_the_images(
    shelf: Shelf, steps: list[tuple[str, bool, int]]
) -> None:
    there: dict[UUID, tuple[Account, int]] = {}
    for step, is_south, size in steps:
        account = shelf.south if is_south else shelf.north
        mine = [id for id, (owner, _) in there.items() if owner == account]
        if step == "add":
            id = uuid4()
            await shelf.add(account, id=id, bytes=size)
            there[id] = account, size
        elif mine:
            async with shelf.database.write() as tx:
                image = await images.get(tx, account.id, mine[0])
                assert image is not None
                if step == "delete":
                    await images.delete_image(tx, account.id, image.id)
                    del there[image.id]
                else:
                    draft = msgspec.structs.replace(BLANK, bytes=size)
                    await images.replace(tx, image, draft, shelf.anna, NOON + timedelta(days=1))
                    there[image.id] = account, size
    for account in (shelf.north, shelf.south):
        sizes = [size for owner, size in there.values() if owner == account]
        assert await held(shelf, account) == Usage(len(sizes), sum(sizes))
    assert await miscounted(shelf) == []
    async with shelf.database.write() as tx:
        for id, (owner, _) in there.items():
            await images.delete_image(tx, owner.id, id)


async def test_deleting_what_is_not_there_counts_nothing(shelf: Shelf) -> None:
    id = uuid4()
    await shelf.add(id=id, bytes=7)
    async with shelf.database.write() as tx:
        for account in (shelf.south.id, shelf.north.id, shelf.north.id):
            await images.delete_image(tx, account, id)
    assert await held(shelf, shelf.north) == await held(shelf, shelf.south) == Usage(0, 0)


async def test_wrong_sums_are_found_and_set_right(shelf: Shelf) -> None:
    await shelf.add(bytes=7)
    async with shelf.database.write() as tx:
        await usage.add(tx, shelf.north.id, count=1, size=-3)
        await usage.add(tx, shelf.south.id, count=0, size=5)
    assert await miscounted(shelf) == ["north", "south"]
    async with shelf.database.write() as tx:
        await usage.repair(tx)
    assert await miscounted(shelf) == []
    assert (await held(shelf, shelf.north), await held(shelf, shelf.south)) == (Usage(1, 7), Usage(0, 0))


async def test_quotas_are_read_as_they_were_set(shelf: Shelf) -> None:
    given = QuotaOverrides(bytes=2**50, images=0, uploads=None, pixel_seconds=7)
    async with shelf.database.write() as tx:
        assert await accounts.quotas(tx, shelf.north.id) == QuotaOverrides()
        await accounts.set_quotas(tx, shelf.north.id, given)
        assert await accounts.quotas(tx, shelf.north.id) == given
        assert await accounts.quotas(tx, shelf.south.id) == QuotaOverrides()
