"""Bytes before row: what is stored but not recorded is collected, and what is recorded has its bytes."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests import pictures
from tests.core.conftest import Clock, Instance, once, open_instance
from tintype.catalogue import leases
from tintype.core.library import originals
from tintype.core.library.browse import list_page
from tintype.core.library.deletion import delete
from tintype.core.library.ingest import examine, record_image, stage
from tintype.core.library.originals import begin_removal, finish_removal, published, remove_unused
from tintype.core.upkeep.check import check
from tintype.core.upkeep.collect_garbage import GcSettings, collect_garbage, plan_gc
from tintype.model import Error, InsufficientStorage, Overloaded
from tintype.model.list_query import ListQuery
from tintype.settings import load
from tintype.storage import Staged

DATA = pictures.png()


@pytest.fixture
async def impatient(tmp_path: Path, clock: Clock) -> AsyncIterator[Instance]:
    """An instance whose transactions wait a moment only for the catalogue."""
    settings = load(tmp_path, [], {"TINTYPE_WORKERS_CATALOGUE_WAIT_SECONDS": "0.05"})
    async with open_instance(settings, clock) as instance:
        yield instance


async def count(instance: Instance) -> int:
    return (await list_page(instance.services, instance.anna, ListQuery()))[0]


async def unused(instance: Instance) -> list[str]:
    return [found.sha256 async for found in check(instance.services) if found.fault.value == "object-unused"]


async def collect(instance: Instance) -> int:
    return (
        await collect_garbage(instance.services, await plan_gc(instance.services, GcSettings()))
    ).set_aside


@asynccontextmanager
async def staged(instance: Instance, data: bytes = DATA) -> AsyncIterator[Staged]:
    async with stage(instance.services, once(data), len(data)) as staged:
        yield staged


async def test_when_the_bytes_cannot_be_stored_nothing_is_recorded(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Staged) -> None:
        raise InsufficientStorage("No space left on device")

    monkeypatch.setattr(instance.services.originals, "put", refuse)
    with pytest.raises(InsufficientStorage):
        await instance.add()
    assert await count(instance) == 0
    assert instance.files() == []


async def test_bytes_are_stored_while_no_transaction_is_open(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, loop = instance.services.originals.put, asyncio.get_running_loop()

    def write_meanwhile(staged: Staged) -> None:
        # It would wait for a transaction that is open, and time out.
        asyncio.run_coroutine_threadsafe(instance.services.catalogue.require_writable(0.5), loop).result()
        put(staged)

    monkeypatch.setattr(instance.services.originals, "put", write_meanwhile)
    image = await instance.add()
    assert instance.has_original(image.sha256)


async def test_when_the_record_cannot_be_committed_the_bytes_are_collected_once_they_are_old(
    impatient: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = impatient
    kept = await instance.add()
    put = instance.services.originals.put
    with locked_after_put(instance, monkeypatch), pytest.raises(Overloaded):
        await instance.add(data=DATA)
    monkeypatch.setattr(instance.services.originals, "put", put)
    (left,) = set(instance.services.originals.list()) - {kept.sha256}
    assert await count(instance) == 1
    # It may be an upload that is about to be recorded.
    assert await unused(instance) == []
    assert await collect(instance) == 0
    assert not await remove_unused(instance.services, left)
    instance.clock.go(seconds=leases.PUT_SECONDS)
    assert await unused(instance) == [left]
    assert await collect(instance) == 1
    assert list(instance.services.originals.list()) == [kept.sha256]


@contextmanager
def locked_after_put(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another program begins to write the catalogue when the bytes have been stored."""
    put = instance.services.originals.put
    with closing(
        sqlite3.connect(instance.data / "catalogue.sqlite3", isolation_level=None, check_same_thread=False)
    ) as other:

        def lock(staged: Staged) -> None:
            put(staged)
            other.execute("BEGIN IMMEDIATE")

        monkeypatch.setattr(instance.services.originals, "put", lock)
        yield


async def test_an_upload_whose_lease_was_dropped_is_not_recorded(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = instance.services.originals.put

    async def drop(sha256: str) -> None:
        instance.clock.go(seconds=leases.PUT_SECONDS)
        assert await remove_unused(instance.services, sha256)

    def put_and_wait(staged: Staged) -> None:
        put(staged)
        asyncio.run_coroutine_threadsafe(drop(staged.sha256), loop).result()

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(instance.services.originals, "put", put_and_wait)
    with pytest.raises(Overloaded):
        await instance.add()
    assert await count(instance) == 0
    assert instance.files() == []


async def test_bytes_that_are_about_to_be_recorded_are_not_removed(instance: Instance) -> None:
    async with staged(instance) as coming:
        sha256 = coming.sha256
        async with published(instance.services, coming) as lease:
            assert not await remove_unused(instance.services, sha256)
            assert instance.has_original(sha256)
            await instance.services.catalogue.write(originals.end_put, lease)
        assert await remove_unused(instance.services, sha256)


async def test_an_upload_waits_for_the_removal_of_the_same_bytes(instance: Instance) -> None:
    image = await instance.add(data=DATA)
    await delete(instance.services, instance.anna, image.id)
    removal = await instance.services.catalogue.write(begin_removal, instance.services, image.sha256)
    assert removal is not None
    coming = asyncio.create_task(instance.add(data=DATA))
    await asyncio.wait([coming], timeout=0.5)
    assert not coming.done()
    await finish_removal(instance.services, removal)
    assert instance.has_original((await coming).sha256)


async def test_an_upload_does_not_wait_for_a_process_that_was_killed_while_it_removed_the_bytes(
    instance: Instance,
) -> None:
    sha256 = (await instance.add(data=DATA)).sha256
    await delete(
        instance.services,
        instance.anna,
        (await list_page(instance.services, instance.anna, ListQuery()))[1][0].id,
    )
    removal = await instance.services.catalogue.write(begin_removal, instance.services, sha256)
    assert removal is not None
    coming = asyncio.create_task(instance.add(data=DATA))
    await asyncio.wait([coming], timeout=0.2)
    instance.clock.go(seconds=leases.DELETE_SECONDS)
    assert instance.has_original((await coming).sha256)


async def test_a_removal_that_starts_late_is_not_carried_out(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(originals, "START_SECONDS", 0.0)
    image = await instance.add(data=DATA)
    await delete(instance.services, instance.anna, image.id)
    assert await unused(instance) == [image.sha256]


async def test_an_upload_that_waits_too_long_for_a_removal_is_refused(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = await instance.add(data=DATA)
    await delete(instance.services, instance.anna, image.id)
    assert await instance.services.catalogue.write(begin_removal, instance.services, image.sha256)
    monkeypatch.setattr(leases, "DELETE_SECONDS", 0.05)
    with pytest.raises(Overloaded):
        await instance.add(data=DATA)


async def test_of_two_uploads_of_the_same_bytes_one_may_fail(instance: Instance) -> None:
    async with staged(instance) as first, staged(instance) as second:
        info = await examine(instance.services, instance.anna, first)
        with suppress(ZeroDivisionError):
            async with published(instance.services, first):
                image = await record_image(instance.services, instance.anna, second, info, "photo.png")
                _ = 1 / 0
    assert instance.has_original(image.sha256)
    assert await count(instance) == 1


async def test_what_fails_leaves_no_lease_behind(instance: Instance) -> None:
    image = await instance.add(data=DATA, unique=True)
    with pytest.raises(Error):
        await instance.add(data=DATA, unique=True)
    await delete(instance.services, instance.anna, image.id)
    assert instance.files() == []
    with closing(sqlite3.connect(instance.data / "catalogue.sqlite3")) as connection:
        assert connection.execute("SELECT count(*) FROM leases").fetchone() == (0,)
