"""What is remembered of images: bounded, and never longer than it is true."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import delete as sql_delete
from sqlalchemy import insert, update

from tests.core.conftest import Clock, Town, founded
from tintype.catalogue import changes, images, tables
from tintype.catalogue.engine import READERS
from tintype.core.curate import set_status
from tintype.core.facts import TRUSTED_SECONDS, Facts
from tintype.core.follow import Follower, linked
from tintype.core.house import House
from tintype.core.retire import delete
from tintype.core.sign import Keyring
from tintype.model import Error, Image, Publications, Status
from tintype.settings import Settings

PROMISED_SECONDS = 1.0
PUBLICATIONS: Publications = {"native": None}
SOON_SECONDS = 20.0
"""How long a test waits for what happens in a moment, unless the machine is very busy."""


@asynccontextmanager
async def following(house: House) -> AsyncIterator[None]:
    """The house as in a running service: it remembers, and follows what changes."""
    follower = Follower(house)
    follower.start()
    try:
        await until(lambda: house.facts.trusted_until > time.monotonic())
        yield
    finally:
        await follower.stop()


async def until(holds: Callable[[], bool], within: float = SOON_SECONDS) -> None:
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


@pytest.fixture
async def facts(town: Town) -> tuple[Facts, list[Image]]:
    found = Facts(3)
    found.trust(time.monotonic() + 3600)
    return found, [await town.add() for _ in range(5)]


async def test_what_is_remembered_is_found_by_id_and_number(facts: tuple[Facts, list[Image]]) -> None:
    memory, (image, *_) = facts
    assert memory.known(image.id) is None
    known = memory.remember(image, PUBLICATIONS, memory.generation)
    assert known.holds
    assert memory.known(image.id) is memory.known(image.number) is known
    assert memory.known(image.number + 1) is None


async def test_the_least_recently_asked_is_forgotten_first(facts: tuple[Facts, list[Image]]) -> None:
    memory, listed = facts
    known = [memory.remember(image, PUBLICATIONS, 0) for image in listed[:3]]
    memory.known(listed[0].number)
    known += [memory.remember(image, PUBLICATIONS, 0) for image in listed[3:]]
    assert [each.holds for each in known] == [True, False, False, True, True]
    assert [memory.known(image.id) is not None for image in listed] == [True, False, False, True, True]
    assert [memory.known(image.number) is not None for image in listed] == [True, False, False, True, True]


async def test_what_is_forgotten_holds_no_more(facts: tuple[Facts, list[Image]]) -> None:
    memory, (one, other, *_) = facts
    first, second = memory.remember(one, PUBLICATIONS, 0), memory.remember(other, PUBLICATIONS, 0)
    memory.forget(one.id)
    assert (first.holds, second.holds) == (False, True)
    assert memory.known(one.id) is memory.known(one.number) is None
    memory.forget_all()
    assert not second.holds
    assert memory.known(other.id) is None


async def test_an_answer_from_before_a_change_is_not_remembered(facts: tuple[Facts, list[Image]]) -> None:
    memory, (image, other, *_) = facts
    asked = memory.generation
    memory.forget(other.id)
    assert not memory.remember(image, PUBLICATIONS, asked).holds
    assert memory.known(image.id) is None


async def test_a_newer_record_takes_the_place_of_an_older_one(facts: tuple[Facts, list[Image]]) -> None:
    memory, (image, *_) = facts
    old = memory.remember(image, PUBLICATIONS, 0)
    new = memory.remember(msgspec.structs.replace(image, version=2), PUBLICATIONS, 0)
    assert (old.holds, new.holds) == (False, True)
    assert memory.known(image.number) is new


async def test_memory_counts_only_as_long_as_it_is_trusted(facts: tuple[Facts, list[Image]]) -> None:
    memory, (image, other, *_) = facts
    memory.remember(image, PUBLICATIONS, 0)
    memory.trust(time.monotonic() - TRUSTED_SECONDS)
    assert memory.known(image.id) is None
    assert not memory.remember(other, PUBLICATIONS, 0).holds
    assert TRUSTED_SECONDS < PROMISED_SECONDS


async def test_a_house_that_follows_nothing_remembers_nothing(town: Town) -> None:
    image = await town.add()
    assert not (await linked(town.house, "native", image.id)).holds
    assert town.house.facts.known(image.id) is None


async def test_a_second_look_needs_no_catalogue(town: Town) -> None:
    image = await town.add()
    async with following(town.house):
        known = await linked(town.house, "native", image.id)
        assert await linked(town.house, "native", image.number) is known
        # Behind everybody's back: only the catalogue knows.
        async with town.house.catalogue.write() as tx:
            await images.erase(tx, town.anna.account.id, image.id)
        assert await linked(town.house, "native", image.id) is known


async def test_memory_gives_but_never_refuses(town: Town) -> None:
    """Another process may just have made the version that a link names."""
    image = await town.add()
    async with following(town.house):
        known = await linked(town.house, "native", image.id)
        async with town.house.catalogue.write() as tx:
            await tx.execute(update(tables.images).values(version=2))
        assert (await linked(town.house, "native", image.id, 2)).image.version == 2
        assert not known.holds


async def test_a_delete_counts_at_once_in_its_own_process(town: Town) -> None:
    image = await town.add()
    async with following(town.house):
        known = await linked(town.house, "native", image.id)
        await delete(town.house, town.anna, image.id)
        assert not known.holds
        with pytest.raises(Error, match="no such image"):
            await linked(town.house, "native", image.id)


async def test_what_another_house_changes_is_forgotten_within_a_second(
    town: Town, settings: Settings
) -> None:
    image, kept = await town.add(), await town.add()
    async with founded(settings, Clock()) as other, following(town.house):
        for change in (
            lambda: set_status(other.house, other.anna, image.id, Status.ARCHIVED),
            lambda: set_status(other.house, other.anna, image.id, Status.ACTIVE),
            lambda: delete(other.house, other.anna, image.id),
        ):
            with suppress(Error):
                await linked(town.house, "native", image.id)
            known, still = town.house.facts.known(image.id), await linked(town.house, "native", kept.id)
            await change()
            await until(lambda known=known: known is None or not known.holds)  # type: ignore[misc]  # bound now
            assert still.holds
        with pytest.raises(Error, match="no such image"):
            await linked(town.house, "native", image.id)


async def test_after_a_gap_in_the_changes_everything_is_forgotten(town: Town) -> None:
    image, other = await town.add(), await town.add()
    account = town.anna.account.id
    async with following(town.house):
        known = await linked(town.house, "native", image.id)
        async with town.house.catalogue.write() as tx:
            await changes.note(tx, account, other.id, town.clock())
            await changes.note(tx, account, other.id, town.clock())
            await tx.execute(sql_delete(tables.changes).where(tables.changes.c.seq == 1))
        await until(lambda: not known.holds)


async def test_a_retired_key_is_noticed(town: Town) -> None:
    keyring = town.house.keyring
    signature, generation = keyring.sign(["a"]), keyring.generation
    other = Keyring(town.data / "link-keys.json")
    other.rotate()
    other.retire(signature.key)
    async with following(town.house):
        await until(lambda: keyring.generation != generation)
        assert keyring.all() == other.all()
        assert not keyring.verify(["a"], signature)


async def test_the_list_of_changes_is_bounded_and_counts_on(town: Town) -> None:
    image, newest = await town.add(), 2 * changes.KEPT
    row = {"account": image.account_id, "image": image.id, "at": town.clock()}
    async with town.house.catalogue.write() as tx:
        for seq in (1, changes.KEPT + 1, changes.KEPT + 2, newest):
            await tx.execute(insert(tables.changes).values(seq=seq, **row))
        await changes.note(tx, town.anna.account.id, image.id, town.clock())
        assert await changes.since(tx, 0) == [
            (seq, image.id) for seq in (changes.KEPT + 2, newest, newest + 1)
        ]
        assert await changes.since(tx, newest) == [(newest + 1, image.id)]
        assert await changes.last(tx) == newest + 1


async def test_of_an_image_that_is_not_the_accounts_nothing_is_told(town: Town) -> None:
    image = await town.add()
    async with town.house.catalogue.write() as tx:
        for account, id in ((town.boris.account.id, image.id), (town.anna.account.id, UUID(int=1))):
            await changes.note(tx, account, id, town.clock())
        assert await changes.last(tx) == 0


async def test_memory_is_trusted_though_every_thread_and_reader_is_taken(town: Town) -> None:
    """What follows changes waits for none of those that requests wait for."""
    house, go_on = town.house, threading.Event()
    image = await town.add()
    async with following(house), AsyncExitStack() as taken:
        known = await linked(house, "native", image.id)
        busy = [asyncio.create_task(house.workers.disk(go_on.wait)) for _ in range(100)]
        for _ in range(READERS):
            await taken.enter_async_context(house.catalogue.read())
        since = time.monotonic() + TRUSTED_SECONDS
        await until(lambda: house.facts.trusted_until > since + TRUSTED_SECONDS)
        assert house.facts.known(image.id) is known
        await set_status(house, town.anna, image.id, Status.ARCHIVED)
        assert not known.holds
        go_on.set()
        await asyncio.gather(*busy)


async def test_memory_is_trusted_though_the_event_loop_is_late(town: Town) -> None:
    async with following(town.house):
        time.sleep(2 * TRUSTED_SECONDS)  # noqa: ASYNC251  the loop can't do anything meanwhile
        assert town.house.facts.trusted_until > time.monotonic()
