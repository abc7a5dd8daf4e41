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
    return await shelf.database.read(usage.get, account.id)


async def miscounted(shelf: Shelf) -> list[str]:
    return await shelf.database.read(usage.mismatches)


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
            image = await shelf.database.read(images.get, account.id, mine[0])
            assert image is not None
            if step == "delete":
                await shelf.database.write(images.delete_image, account.id, image.id)
                del there[image.id]
            else:
                draft = msgspec.structs.replace(BLANK, bytes=size)
                later = NOON + timedelta(days=1)
                await shelf.database.write(images.replace, image, draft, shelf.anna, later)
                there[image.id] = account, size
    for account in (shelf.north, shelf.south):
        sizes = [size for owner, size in there.values() if owner == account]
        assert await held(shelf, account) == Usage(len(sizes), sum(sizes))
    assert await miscounted(shelf) == []
    for id, (owner, _) in there.items():
        await shelf.database.write(images.delete_image, owner.id, id)


async def test_deleting_what_is_not_there_counts_nothing(shelf: Shelf) -> None:
    id = uuid4()
    await shelf.add(id=id, bytes=7)
    for account in (shelf.south.id, shelf.north.id, shelf.north.id):
        await shelf.database.write(images.delete_image, account, id)
    assert await held(shelf, shelf.north) == await held(shelf, shelf.south) == Usage(0, 0)


async def test_wrong_sums_are_found_and_set_right(shelf: Shelf) -> None:
    await shelf.add(bytes=7)
    await shelf.database.write(usage.add, shelf.north.id, count=1, size=-3)
    await shelf.database.write(usage.add, shelf.south.id, count=0, size=5)
    assert await miscounted(shelf) == ["north", "south"]
    await shelf.database.write(usage.repair)
    assert await miscounted(shelf) == []
    assert (await held(shelf, shelf.north), await held(shelf, shelf.south)) == (Usage(1, 7), Usage(0, 0))


async def test_quotas_are_read_as_they_were_set(shelf: Shelf) -> None:
    given = QuotaOverrides(bytes=2**50, images=0, uploads=None, pixel_seconds=7)
    assert await shelf.database.read(accounts.quotas, shelf.north.id) == QuotaOverrides()
    await shelf.database.write(accounts.set_quotas, shelf.north.id, given)
    assert await shelf.database.read(accounts.quotas, shelf.north.id) == given
    assert await shelf.database.read(accounts.quotas, shelf.south.id) == QuotaOverrides()
