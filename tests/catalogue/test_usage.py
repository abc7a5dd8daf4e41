"""Usage of accounts: kept exact when images are added, replaced and deleted."""

from datetime import timedelta
from uuid import UUID, uuid4

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.catalogue.conftest import BLANK, NOON, Sample
from tintype.catalogue import accounts, images, usage
from tintype.model import Account, QuotaOverrides, Usage

steps = st.lists(
    st.tuples(st.sampled_from(["add", "replace", "delete"]), st.booleans(), st.integers(0, 2**40)),
    max_size=25,
)


async def held(sample: Sample, account: Account) -> Usage:
    return await sample.database.read(usage.get, account.id)


async def miscounted(sample: Sample) -> list[str]:
    return await sample.database.read(usage.mismatches)


async def test_an_account_without_images_holds_nothing(sample: Sample) -> None:
    assert await held(sample, sample.north) == Usage(0, 0)


@settings(max_examples=20)
@given(steps)
async def test_whatever_is_done_the_sums_are_those_of_the_images(
    sample: Sample, steps: list[tuple[str, bool, int]]
) -> None:
    there: dict[UUID, tuple[Account, int]] = {}
    for step, is_south, size in steps:
        account = sample.south if is_south else sample.north
        mine = [id for id, (owner, _) in there.items() if owner == account]
        if step == "add":
            id = uuid4()
            await sample.add(account, id=id, bytes=size)
            there[id] = account, size
        elif mine:
            image = await sample.database.read(images.get, account.id, mine[0])
            assert image is not None
            if step == "delete":
                await sample.database.write(images.delete_image, account.id, image.id)
                del there[image.id]
            else:
                draft = msgspec.structs.replace(BLANK, bytes=size)
                later = NOON + timedelta(days=1)
                await sample.database.write(images.replace, image, draft, sample.anna, later)
                there[image.id] = account, size
    for account in (sample.north, sample.south):
        sizes = [size for owner, size in there.values() if owner == account]
        assert await held(sample, account) == Usage(len(sizes), sum(sizes))
    assert await miscounted(sample) == []
    for id, (owner, _) in there.items():
        await sample.database.write(images.delete_image, owner.id, id)


async def test_deleting_what_is_not_there_counts_nothing(sample: Sample) -> None:
    id = uuid4()
    await sample.add(id=id, bytes=7)
    for account in (sample.south.id, sample.north.id, sample.north.id):
        await sample.database.write(images.delete_image, account, id)
    assert await held(sample, sample.north) == await held(sample, sample.south) == Usage(0, 0)


async def test_wrong_sums_are_found_and_set_right(sample: Sample) -> None:
    await sample.add(bytes=7)
    await sample.database.write(usage.add, sample.north.id, count=1, size=-3)
    await sample.database.write(usage.add, sample.south.id, count=0, size=5)
    assert await miscounted(sample) == ["north", "south"]
    await sample.database.write(usage.repair)
    assert await miscounted(sample) == []
    assert (await held(sample, sample.north), await held(sample, sample.south)) == (Usage(1, 7), Usage(0, 0))


async def test_quotas_are_read_as_they_were_set(sample: Sample) -> None:
    given = QuotaOverrides(bytes=2**50, images=0, uploads=None, pixel_seconds=7)
    assert await sample.database.read(accounts.quotas, sample.north.id) == QuotaOverrides()
    await sample.database.write(accounts.set_quotas, sample.north.id, given)
    assert await sample.database.read(accounts.quotas, sample.north.id) == given
    assert await sample.database.read(accounts.quotas, sample.south.id) == QuotaOverrides()
