"""What is remembered of images: bounded, and never longer than it is true."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, closing

import msgspec
import pytest
from sqlalchemy import insert, update

from tests import pictures, waiting
from tests.catalogue.holding import held_open
from tests.core.conftest import Clock, Instance, once, open_instance
from tests.core.following import following, remembered, stay_fresh, until
from tintype.catalogue import CATALOGUE, Transaction, images, outbox, tables
from tintype.catalogue.database import READERS
from tintype.core.delivery.invalidation import find_deliverable
from tintype.core.library.deletion import delete
from tintype.core.library.ingest import stage
from tintype.core.library.update import replace, set_status
from tintype.core.runtime.record_cache import FRESH_SECONDS, RecordCache
from tintype.core.runtime.signing import Keyring, new_key
from tintype.imaging import inspect
from tintype.model import Error, Image, Publications, Status
from tintype.settings import Settings

PROMISED_SECONDS = 1.0
PUBLICATIONS: Publications = {"native": None}


@pytest.fixture
async def info(instance: Instance) -> tuple[RecordCache, list[Image]]:
    found = RecordCache(3)
    found.extend_freshness(time.monotonic() + 3600)
    return found, [await instance.add() for _ in range(5)]


async def test_what_is_remembered_is_found_by_id_and_number(info: tuple[RecordCache, list[Image]]) -> None:
    memory, (image, *_) = info
    assert memory.get(image.id) is None
    known = memory.put(image, PUBLICATIONS, memory.generation)
    assert known.is_valid
    assert memory.get(image.id) is memory.get(image.number) is known
    assert memory.get(image.number + 1) is None


async def test_the_least_recently_asked_is_forgotten_first(info: tuple[RecordCache, list[Image]]) -> None:
    memory, listed = info
    known = [memory.put(image, PUBLICATIONS, 0) for image in listed[:3]]
    memory.get(listed[0].number)
    known += [memory.put(image, PUBLICATIONS, 0) for image in listed[3:]]
    assert [each.is_valid for each in known] == [True, False, False, True, True]
    assert [memory.get(image.id) is not None for image in listed] == [True, False, False, True, True]
    assert [memory.get(image.number) is not None for image in listed] == [True, False, False, True, True]


async def test_what_is_forgotten_holds_no_more(info: tuple[RecordCache, list[Image]]) -> None:
    memory, (one, other, *_) = info
    first, second = memory.put(one, PUBLICATIONS, 0), memory.put(other, PUBLICATIONS, 0)
    memory.invalidate(one.id)
    assert (first.is_valid, second.is_valid) == (False, True)
    assert memory.get(one.id) is memory.get(one.number) is None
    memory.invalidate_all()
    assert not second.is_valid
    assert memory.get(other.id) is None


async def test_an_answer_from_before_a_change_is_not_remembered(
    info: tuple[RecordCache, list[Image]],
) -> None:
    memory, (image, other, *_) = info
    changes: list[Callable[[], None]] = [lambda: memory.invalidate(other.id), memory.invalidate_all]
    for change in changes:
        asked = memory.generation
        change()
        assert not memory.put(image, PUBLICATIONS, asked).is_valid
        assert memory.get(image.id) is None


async def test_newer_publications_take_the_place_of_older_ones(info: tuple[RecordCache, list[Image]]) -> None:
    memory, (image, *_) = info
    old = memory.put(image, PUBLICATIONS, 0)
    new = memory.put(image, {**PUBLICATIONS, "mews": None}, 0)
    assert memory.get(image.id) is new
    assert "mews" in new.publications
    assert not old.is_valid


async def test_a_newer_record_takes_the_place_of_an_older_one(info: tuple[RecordCache, list[Image]]) -> None:
    memory, (image, *_) = info
    old = memory.put(image, PUBLICATIONS, 0)
    new = memory.put(msgspec.structs.replace(image, version=2), PUBLICATIONS, 0)
    assert (old.is_valid, new.is_valid) == (False, True)
    assert memory.get(image.number) is new


async def test_memory_counts_only_as_long_as_it_is_trusted(info: tuple[RecordCache, list[Image]]) -> None:
    memory, (image, other, *_) = info
    memory.put(image, PUBLICATIONS, 0)
    memory.extend_freshness(time.monotonic() - FRESH_SECONDS)
    assert memory.get(image.id) is None
    assert not memory.put(other, PUBLICATIONS, 0).is_valid
    assert FRESH_SECONDS < PROMISED_SECONDS


async def test_a_process_that_polls_nothing_remembers_nothing(instance: Instance) -> None:
    image = await instance.add()
    assert not (await find_deliverable(instance.services, "native", image.id)).is_valid
    assert instance.services.record_cache.get(image.id) is None


async def test_a_second_look_needs_no_catalogue(instance: Instance) -> None:
    image = await instance.add()
    stay_fresh(instance.services)
    known = await find_deliverable(instance.services, "native", image.id)
    assert await find_deliverable(instance.services, "native", image.number) is known
    # Behind everybody's back: only the catalogue knows.
    await instance.services.catalogue.write(images.delete_image, instance.anna.account.id, image.id)
    assert await find_deliverable(instance.services, "native", image.id) is known


async def test_memory_gives_but_never_refuses(instance: Instance) -> None:
    """Another process may just have made the version that a link names."""
    image = await instance.add()
    stay_fresh(instance.services)
    known = await find_deliverable(instance.services, "native", image.id)
    await instance.services.catalogue.write(lambda tx: tx.execute(update(tables.images).values(version=2)))
    assert (await find_deliverable(instance.services, "native", image.id, 2)).image.version == 2
    assert not known.is_valid


async def test_memory_gives_no_other_version_than_a_link_names(instance: Instance) -> None:
    image = await instance.add()
    stay_fresh(instance.services)
    known = await find_deliverable(instance.services, "native", image.id)
    assert await find_deliverable(instance.services, "native", image.id, image.version) is known
    with pytest.raises(Error, match="no such image"):
        await find_deliverable(instance.services, "native", image.id, image.version + 1)


async def test_a_delete_counts_at_once_in_its_own_process(instance: Instance) -> None:
    image = await instance.add()
    async with following(instance.services):
        known = await find_deliverable(instance.services, "native", image.id)
        await delete(instance.services, instance.anna, image.id)
        assert not known.is_valid
        with pytest.raises(Error, match="no such image"):
            await find_deliverable(instance.services, "native", image.id)


async def archive(instance: Instance, image: Image) -> None:
    await set_status(instance.services, instance.anna, image.id, Status.ARCHIVED)


async def remove(instance: Instance, image: Image) -> None:
    await delete(instance.services, instance.anna, image.id)


@pytest.mark.parametrize("change", [archive, remove])
async def test_what_another_process_changes_is_forgotten(
    instance: Instance, settings: Settings, change: Callable[[Instance, Image], Awaitable[None]]
) -> None:
    image, kept = await instance.add(), await instance.add()
    async with open_instance(settings, Clock()) as other, following(instance.services):
        known = await remembered(instance.services, "native", image.id)
        still = await remembered(instance.services, "native", kept.id)
        await change(other, image)
        await until(lambda: not known.is_valid)
        assert still.is_valid
        with pytest.raises(Error, match="no such image"):
            await find_deliverable(instance.services, "native", image.id)


async def test_what_another_process_replaces_is_forgotten(instance: Instance, settings: Settings) -> None:
    image, data = await instance.add(), pictures.png(9, 9)
    async with open_instance(settings, Clock()) as other, following(instance.services):
        known = await remembered(instance.services, "native", image.id)
        async with stage(other.services, once(data), len(data)) as staged:
            await replace(other.services, other.anna, image.id, staged, inspect(data), "")
        await until(lambda: not known.is_valid)
        assert (await find_deliverable(instance.services, "native", image.id)).image.version == 2


async def test_what_another_process_restores_is_there_at_once(instance: Instance, settings: Settings) -> None:
    image = await instance.add()
    async with open_instance(settings, Clock()) as other, following(instance.services):
        await archive(other, image)
        with pytest.raises(Error, match="no such image"):
            await find_deliverable(instance.services, "native", image.id)
        await set_status(other.services, other.anna, image.id, Status.ACTIVE)
        assert (await find_deliverable(instance.services, "native", image.id)).image.id == image.id


async def test_a_change_that_commits_after_a_later_one_is_noticed(instance: Instance) -> None:
    first, second = await instance.add(), await instance.add()
    async with following(instance.services):
        for image, number in ((second, 2), (first, 1)):
            known = await find_deliverable(instance.services, "native", image.id)
            await instance.services.catalogue.write(_change, image, number)
            await until(lambda known=known: not known.is_valid)  # type: ignore[misc]  # bound now


async def test_after_changes_that_are_no_longer_kept_everything_is_forgotten(instance: Instance) -> None:
    image, other = await instance.add(), await instance.add()
    async with following(instance.services):
        known = await find_deliverable(instance.services, "native", image.id)
        await instance.services.catalogue.write(_change, other, outbox.MAX_ROWS + 2)
        await until(lambda: not known.is_valid)


def _change(tx: Transaction, image: Image, number: int) -> None:
    """As another process tells of a change; the number is what its transaction got."""
    row = {"id": number, "account_id": image.account_id, "image_id": image.id, "at": image.created_at}
    tx.execute(insert(tables.outbox).values(row))


async def test_a_retired_key_is_noticed(instance: Instance) -> None:
    keyring = instance.services.keyring
    signature, generation = keyring.sign(["a"]), keyring.generation
    other = Keyring(instance.data / "link-keys.json")
    other.add(new_key())
    assert other.remove(signature.key)
    async with following(instance.services):
        await until(lambda: keyring.generation != generation)
        assert keyring.all() == other.all()
        assert not keyring.verify(["a"], signature)


async def test_memory_is_trusted_though_every_thread_and_reader_is_taken(instance: Instance) -> None:
    """What follows changes waits for none of those that requests wait for."""
    services, go_on = instance.services, threading.Event()
    image = await instance.add()
    async with following(services), AsyncExitStack() as taken:
        known = await remembered(services, "native", image.id)
        busy = [asyncio.create_task(services.workers.disk(go_on.wait)) for _ in range(100)]
        for _ in range(READERS):
            await taken.enter_async_context(held_open(services.catalogue.read))
        since = time.monotonic()
        await until(lambda: services.record_cache.fresh_until > since + 2 * FRESH_SECONDS)
        await until(lambda: services.record_cache.get(image.id) is known)
        await set_status(services, instance.anna, image.id, Status.ARCHIVED)
        assert not known.is_valid
        go_on.set()
        await asyncio.gather(*busy)


async def test_memory_is_trusted_though_the_event_loop_is_late(instance: Instance) -> None:
    memory = instance.services.record_cache
    async with following(instance.services):
        since = time.monotonic()
        # The loop can't do anything meanwhile.
        waiting.until(lambda: memory.fresh_until > since + 2 * FRESH_SECONDS)


async def test_memory_ends_when_the_event_loop_is_too_late_to_forget_what_changed(instance: Instance) -> None:
    memory = instance.services.record_cache
    image = await instance.add()
    async with following(instance.services):
        known = await remembered(instance.services, "native", image.id)
        with closing(sqlite3.connect(instance.data / CATALOGUE)) as another, another:
            another.execute(
                "INSERT INTO outbox (account_id, image_id, at) SELECT account_id, id, 0 FROM images"
            )
        # The loop can't do anything meanwhile, and so can't forget the image.
        waiting.until(lambda: memory.get(image.id) is None)
        assert known.is_valid
        await until(lambda: not known.is_valid)
