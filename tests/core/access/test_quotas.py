"""How much an account may hold and do: never more, however many uploads are under way."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from tests import pictures
from tests.core.conftest import NOBODY, Instance, once
from tintype.catalogue import usage
from tintype.catalogue.audit import AuditFilter
from tintype.core.access.account_summary import account_summary
from tintype.core.access.audit import entries
from tintype.core.access.quotas import account_quotas, admit_upload, require_seconds, set_quotas
from tintype.core.library.deletion import delete
from tintype.core.library.ingest import examine, stage
from tintype.core.library.update import replace
from tintype.core.runtime.fair_queue import WorkEstimate
from tintype.core.upkeep.check import Fault, Finding, check
from tintype.core.upkeep.collect_garbage import GcSettings, collect_garbage, plan_gc
from tintype.model import (
    Caller,
    Error,
    Image,
    Kind,
    NotFound,
    QuotaExceeded,
    QuotaOverrides,
    Quotas,
    TooManyRequests,
    Usage,
)
from tintype.model.audit import Event


async def allow(instance: Instance, **given: int) -> None:
    await set_quotas(instance.services, "north", QuotaOverrides(**given), NOBODY, reset=False)


async def held(instance: Instance, caller: Caller | None = None) -> Usage:
    return await instance.services.catalogue.read(usage.get, (caller or instance.anna).account.id)


async def refusal(instance: Instance, length: int | None, replaces: int | None = None) -> Kind | None:
    """What becomes of an upload before its body is read."""
    try:
        async with admit_upload(instance.services, instance.anna, length, replaces):
            return None
    except Error as error:
        return error.kind


async def test_the_settings_hold_until_an_account_has_its_own(instance: Instance) -> None:
    account = instance.anna.account.id
    assert await account_quotas(instance.services, account) == Quotas(1024**4, 10_000_000, 64, 600)
    await allow(instance, images=5)
    await allow(instance, bytes=7)
    assert await account_quotas(instance.services, account) == Quotas(7, 5, 64, 600)
    assert await account_quotas(instance.services, instance.boris.account.id) == Quotas(
        1024**4, 10_000_000, 64, 600
    )
    await set_quotas(instance.services, "north", QuotaOverrides(uploads=0), NOBODY, reset=True)
    assert await account_quotas(instance.services, account) == Quotas(1024**4, 10_000_000, 0, 600)
    found = await account_summary(instance.services, "north")
    assert (found.overrides, found.quotas.uploads) == (QuotaOverrides(uploads=0), 0)


async def test_changes_are_in_the_audit_log(instance: Instance) -> None:
    await allow(instance, images=5)
    (entry,) = [entry async for entry in entries(instance.services, AuditFilter(event=Event.QUOTAS_CHANGED))]
    nothing = {"bytes": None, "images": None, "uploads": None, "pixel_seconds": None}
    assert (entry.account, entry.details) == ("north", {"before": nothing, "after": {**nothing, "images": 5}})


async def test_an_image_more_than_allowed_is_not_kept_and_nothing_of_it_is(instance: Instance) -> None:
    await allow(instance, images=1)
    await instance.add()
    before = instance.files()
    with pytest.raises(QuotaExceeded, match="1 images"):
        await instance.add()
    assert (instance.files(), (await held(instance)).images) == (before, 1)
    await instance.add(instance.boris)


async def test_bytes_are_counted_to_the_last(instance: Instance) -> None:
    data = [pictures.png(20 + n, 20) for n in range(3)]
    await allow(instance, bytes=len(data[0]) + len(data[1]))
    await instance.add(data=data[0])
    image = await instance.add(data=data[1])
    assert await held(instance) == Usage(2, len(data[0]) + len(data[1]))
    with pytest.raises(Error):
        await instance.add(data=pictures.png(1, 1))
    await delete(instance.services, instance.anna, image.id)
    assert await held(instance) == Usage(1, len(data[0]))
    await instance.add(data=data[1])


async def replaced(instance: Instance, image: Image, data: bytes) -> Image:
    async with stage(instance.services, once(data), len(data)) as staged:
        info = await examine(instance.services, instance.anna, staged)
        return await replace(instance.services, instance.anna, image.id, staged, info, "")


async def test_a_replacement_counts_with_the_difference(instance: Instance) -> None:
    small, large = pictures.png(10, 10), pictures.png(60, 60)
    image = await instance.add(data=small)
    await allow(instance, bytes=len(large), images=1)
    assert (await replaced(instance, image, large)).version == 2
    assert await held(instance) == Usage(1, len(large))
    await allow(instance, bytes=len(large) - 1)
    # More than is allowed now, but less than before.
    await replaced(instance, image, small)
    with pytest.raises(Error):
        await replaced(instance, image, large)
    assert await held(instance) == Usage(1, len(small))
    await allow(instance, bytes=1)
    assert (await replaced(instance, image, small)).version == 4


async def test_before_the_body_is_read_its_length_is_held_against_what_is_left(instance: Instance) -> None:
    image = await instance.add()
    await allow(instance, bytes=image.bytes + 100, images=2)
    assert await refusal(instance, 100) is None
    assert await refusal(instance, 101) is Kind.QUOTA_EXCEEDED
    assert await refusal(instance, 100 + image.bytes, replaces=image.bytes) is None
    assert await refusal(instance, 101 + image.bytes, replaces=image.bytes) is Kind.QUOTA_EXCEEDED
    await allow(instance, bytes=1, images=1)
    assert await refusal(instance, None) is Kind.QUOTA_EXCEEDED
    assert await refusal(instance, image.bytes, replaces=image.bytes) is None
    assert await refusal(instance, image.bytes + 1, replaces=image.bytes) is Kind.QUOTA_EXCEEDED


async def test_before_the_body_is_read_it_counts_as_an_image_unless_it_replaces(
    instance: Instance,
) -> None:
    await allow(instance, images=2)
    first = await instance.add()
    assert await refusal(instance, 1) is None
    await instance.add()
    assert await refusal(instance, 1) is Kind.QUOTA_EXCEEDED
    await allow(instance, images=1)
    assert await refusal(instance, first.bytes, replaces=first.bytes) is None


async def test_bytes_under_way_count_announced_or_not(instance: Instance) -> None:
    await allow(instance, bytes=1000)

    async def body(*sizes: int) -> AsyncIterator[bytes]:
        for size in sizes:
            yield bytes(size)

    async with admit_upload(instance.services, instance.anna, 600):
        assert await refusal(instance, 401) is Kind.QUOTA_EXCEEDED
        async with admit_upload(instance.services, instance.anna, None) as second:
            assert [len(chunk) async for chunk in second.counted(body(200, 200))] == [200, 200]
            with pytest.raises(QuotaExceeded):
                async for _ in second.counted(body(1)):
                    pass
        assert await refusal(instance, 400) is None
        assert await refusal(instance, 400) is None
        async with admit_upload(instance.services, instance.boris, 5000):
            pass
    assert await refusal(instance, 1000) is None


async def test_what_is_announced_counts_until_the_body_ends(instance: Instance) -> None:
    await allow(instance, bytes=1000)
    async with admit_upload(instance.services, instance.anna, 600) as under_way:
        async for _ in under_way.counted(once(bytes(100))):
            assert await refusal(instance, 401) is Kind.QUOTA_EXCEEDED
            assert await refusal(instance, 400) is None


async def test_a_body_longer_than_announced_counts_with_what_comes(instance: Instance) -> None:
    await allow(instance, bytes=100)

    async def body() -> AsyncIterator[bytes]:
        yield bytes(60)
        yield bytes(60)

    async with admit_upload(instance.services, instance.anna, 10) as under_way:
        with pytest.raises(Error):
            async for _ in under_way.counted(body()):
                pass


async def test_uploads_under_way_are_counted(instance: Instance) -> None:
    await allow(instance, uploads=2)
    async with (
        admit_upload(instance.services, instance.anna, 1),
        admit_upload(instance.services, instance.anna, None),
    ):
        with pytest.raises(TooManyRequests) as raised:
            async with admit_upload(instance.services, instance.anna, 1):
                pass
        assert raised.value.retry_after == 1
        async with admit_upload(instance.services, instance.boris, 1):
            pass
    assert await refusal(instance, 1) is None


async def test_uploads_at_once_never_come_to_more_than_is_allowed(instance: Instance) -> None:
    data = [pictures.png(30, 30, seed=seed) for seed in range(12)]
    await allow(instance, images=5, bytes=sum(map(len, data)))
    outcomes = await asyncio.gather(*(instance.add(data=each) for each in data), return_exceptions=True)
    kept = [outcome for outcome in outcomes if isinstance(outcome, Image)]
    assert len(kept) == 5
    assert await held(instance) == Usage(5, sum(image.bytes for image in kept))
    assert [found async for found in check(instance.services)] == []


async def test_work_uses_up_the_seconds_of_a_minute(instance: Instance) -> None:
    account = instance.anna.account.id
    await allow(instance, pixel_seconds=1)
    await require_seconds(instance.services, account)
    await instance.services.workers.pixels(WorkEstimate(account, 1), time.sleep, 1.1)  # the work itself
    assert await refusal(instance, 1) is Kind.TOO_MANY_REQUESTS
    with pytest.raises(TooManyRequests) as raised:
        await require_seconds(instance.services, account)
    assert raised.value.retry_after >= 1
    await require_seconds(instance.services, instance.boris.account.id)


async def test_what_is_counted_wrong_is_found_and_set_right(instance: Instance) -> None:
    await instance.add()
    await instance.services.catalogue.write(usage.add, instance.anna.account.id, count=3, size=1)
    found = [each async for each in check(instance.services)]
    assert found == [Finding(Fault.USAGE_WRONG, account="north")]
    await collect_garbage(instance.services, await plan_gc(instance.services, GcSettings()))
    assert [each async for each in check(instance.services)] == []


async def test_an_unknown_account_is_missing(instance: Instance) -> None:
    with pytest.raises(NotFound, match="nobody"):
        await account_summary(instance.services, "nobody")
    with pytest.raises(Error, match="nobody"):
        await set_quotas(instance.services, "nobody", QuotaOverrides(), NOBODY, reset=True)
