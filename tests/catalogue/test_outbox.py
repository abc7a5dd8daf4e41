"""The outbox: no reader misses a change, in whatever order transactions commit."""

import asyncio
import random
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, select

from tests.catalogue.conftest import NOON, Sample
from tests.catalogue.holding import held_open
from tintype.catalogue import Database, Transaction, outbox, tables
from tintype.catalogue.outbox import MAX_ROWS, OPEN_SECONDS, Changes, OutboxReader
from tintype.catalogue.transaction import batches

OWNER = UUID(int=1)


def image(number: int) -> UUID:
    return UUID(int=number)


async def commit(database: Database, *numbers: int) -> None:
    """As if a transaction that got these numbers committed now."""

    def write(tx: Transaction) -> None:
        for batch in batches(numbers):
            rows = [{"id": n, "account_id": OWNER, "image_id": image(n), "at": NOON} for n in batch]
            tx.execute(insert(tables.outbox).values(rows))

    await database.write(write)


async def read(database: Database, reader: OutboxReader, now: float = 0.0) -> Changes:
    return await database.read(reader.read, now)


async def begun(database: Database) -> OutboxReader:
    reader = OutboxReader()
    assert await read(database, reader) == Changes()
    return reader


def expected_changes(*numbers: int, missed: bool = False) -> Changes:
    return Changes(tuple(map(image, numbers)), missed)


async def test_a_reader_begins_at_the_present_and_is_told_once(database: Database) -> None:
    await commit(database, 1, 2)
    reader = await begun(database)
    assert await read(database, reader) == Changes()
    await commit(database, 3, 4)
    assert await read(database, reader) == expected_changes(3, 4)
    assert await read(database, reader) == Changes()


async def test_a_lower_number_that_commits_later_is_not_missed(database: Database) -> None:
    await commit(database, 1)
    reader = await begun(database)
    for numbers in ((4,), (2,), (7, 5), (3,), (6,)):
        await commit(database, *numbers)
        assert await read(database, reader) == expected_changes(*sorted(numbers))


async def test_a_number_that_was_open_when_the_reader_began_is_not_missed(database: Database) -> None:
    await commit(database, 2, 5)
    reader = await begun(database)
    await commit(database, 1)
    await commit(database, 3, 4, 6)
    assert await read(database, reader) == expected_changes(1, 3, 4, 6)


@pytest.mark.parametrize("seed", range(5))
async def test_in_any_order_of_commits_each_is_told_once(database: Database, seed: int) -> None:
    chosen = random.Random(seed)
    readers = [await begun(database) for _ in range(2)]
    heard: list[list[UUID | None]] = [[], []]
    numbers = list(range(1, 101))
    while numbers:
        # Those open at the same time: about ten, of which any may be next.
        number = numbers.pop(chosen.randrange(min(10, len(numbers))))
        await commit(database, number)
        for each, reader in enumerate(readers):
            if chosen.random() < 0.5 or not numbers:
                changes = await read(database, reader)
                assert not changes.missed
                heard[each] += changes.images
    for images in heard:
        assert sorted(images, key=str) == [image(number) for number in range(1, 101)]


async def test_a_number_is_waited_for_as_long_as_its_transaction_can_be_open(database: Database) -> None:
    reader = await begun(database)
    await commit(database, 3)
    assert await read(database, reader, 0) == expected_changes(3)
    await commit(database, 2)
    assert await read(database, reader, OPEN_SECONDS - 1) == expected_changes(2)
    await commit(database, 4)
    assert await read(database, reader, OPEN_SECONDS + 1) == expected_changes(4)
    # It was rolled back, or there is no limit to what a reader remembers.
    await commit(database, 1)
    assert await read(database, reader, OPEN_SECONDS + 1) == Changes()


async def test_a_reader_that_is_too_late_learns_that_it_missed_some(database: Database) -> None:
    reader = await begun(database)
    await commit(database, 1)
    await read(database, reader)
    await commit(database, MAX_ROWS + 1)
    assert await read(database, reader) == expected_changes(MAX_ROWS + 1)
    # Number 2 may have come and been dropped.
    await commit(database, MAX_ROWS + 2)
    assert await read(database, reader) == expected_changes(MAX_ROWS + 2, missed=True)
    await commit(database, MAX_ROWS + 3)
    assert (await read(database, reader)).missed, "number 3 as well"
    await commit(database, 5 * MAX_ROWS)
    assert await read(database, reader) == expected_changes(5 * MAX_ROWS, missed=True)
    assert await read(database, reader) == Changes()


async def test_without_gaps_a_reader_may_be_as_late_as_rows_are_kept(database: Database) -> None:
    await commit(database, 1)
    reader = await begun(database)
    await commit(database, *range(2, MAX_ROWS + 2))
    assert await read(database, reader) == expected_changes(*range(2, MAX_ROWS + 2))
    # Of the next so many and one, the first was dropped.
    latest = range(MAX_ROWS + 3, 2 * MAX_ROWS + 3)
    await commit(database, *latest)
    assert await read(database, reader) == expected_changes(*latest, missed=True)


async def test_rows_are_bounded_and_numbers_go_on(sample: Sample) -> None:
    id = uuid4()
    await sample.add(id=id)
    await commit(sample.database, 1, MAX_ROWS + 1, MAX_ROWS + 2, 2 * MAX_ROWS)
    await sample.database.write(outbox.record, sample.north.id, id, NOON)
    left = await sample.database.read(lambda tx: [row.id for row in tx.execute(select(tables.outbox))])
    assert left == [MAX_ROWS + 2, 2 * MAX_ROWS, 2 * MAX_ROWS + 1]


async def test_of_an_image_that_is_not_the_accounts_nothing_is_told(sample: Sample) -> None:
    id = uuid4()
    await sample.add(id=id)
    reader = await begun(sample.database)
    for account, named in ((sample.south.id, id), (sample.north.id, UUID(int=1))):
        await sample.database.write(outbox.record, account, named, NOON)
    assert await read(sample.database, reader) == Changes()
    await sample.database.write(outbox.record_account, sample.north.id, NOON)
    assert await read(sample.database, reader) == Changes((None,))


async def test_what_is_not_committed_is_not_told(sample: Sample) -> None:
    reader = await begun(sample.database)
    work = lambda tx: outbox.record_account(tx, sample.north.id, NOON)  # noqa: E731  an argument, said once
    async with held_open(sample.database.write, work):
        assert await read(sample.database, reader) == Changes()
    assert await read(sample.database, reader) == Changes((None,))


async def test_after_a_lost_connection_it_is_not_believed_that_nothing_changed(
    sample: Sample,
) -> None:
    """SQLite's data_version counts for one connection; that of the next may be the same after a change."""
    watch = sample.database.polling_connection()
    before = await asyncio.to_thread(watch.state)
    assert await asyncio.to_thread(watch.state) == before
    watch.close()
    await sample.database.write(outbox.record_account, sample.north.id, NOON)
    assert await asyncio.to_thread(watch.state) != before
    watch.close()
