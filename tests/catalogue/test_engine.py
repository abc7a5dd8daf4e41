"""Transactions: durable, whole, one writer after the other."""

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tests.catalogue.conftest import NOON, Shelf
from tintype.catalogue import Database, accounts, schema
from tintype.catalogue.engine import url

FULL = 2


@pytest.mark.parametrize("kind", ["read", "write"])
async def test_every_connection_is_durable_and_checks_references(database: Database, kind: str) -> None:
    # Several at once, so that more than the first connection of the pool is asked.
    async def ask() -> tuple[object, object, object]:
        async with database.read() if kind == "read" else database.write() as tx:
            found = [
                (await tx.execute(text(f"PRAGMA {name}"))).scalar_one()
                for name in ("journal_mode", "synchronous", "foreign_keys")
            ]
            await asyncio.sleep(0)
            return found[0], found[1], found[2]

    assert set(await asyncio.gather(*(ask() for _ in range(5)))) == {("wal", FULL, 1)}


async def test_a_reference_to_nothing_is_refused(shelf: Shelf) -> None:
    with pytest.raises(IntegrityError):
        async with shelf.database.write() as tx:
            await accounts.person(tx, uuid4(), "Nobody's", NOON)


async def test_a_transaction_that_raises_leaves_no_trace(database: Database) -> None:
    async def fail() -> None:
        async with database.write() as tx:
            await accounts.add(tx, uuid4(), "half", NOON)
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with database.read() as tx:
        assert await accounts.each(tx) == []


async def test_a_cancelled_transaction_leaves_no_trace_and_holds_up_nobody(database: Database) -> None:
    begun = asyncio.Event()

    async def hang() -> None:
        async with database.write() as tx:
            await accounts.add(tx, uuid4(), "half", NOON)
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.write() as tx:
        assert await accounts.each(tx) == []


async def test_a_cancelled_statement_does_not_keep_the_write_lock(path: Path, database: Database) -> None:
    """Its cursor still has rows to give when the connection is closed."""
    under_way, go_on = threading.Event(), threading.Event()

    def hold() -> int:
        under_way.set()
        return int(go_on.wait(10))

    async def work() -> None:
        async with database.write() as tx:
            driver = (await tx.get_raw_connection()).driver_connection
            assert driver is not None
            await driver.create_function("hold", 0, hold)
            await tx.execute(text("SELECT hold()"))

    task = asyncio.create_task(work())
    assert await asyncio.to_thread(under_way.wait, 10)
    task.cancel()
    go_on.set()
    await asyncio.wait([task])
    assert task.cancelled()
    with closing(sqlite3.connect(path, timeout=0)) as other:
        other.execute("BEGIN IMMEDIATE")


async def test_a_reader_sees_one_state_and_never_a_half_done_one(database: Database, path: Path) -> None:
    other = Database(path)
    async with database.read() as before, other.write() as writing:
        assert await accounts.each(before) == []
        await accounts.add(writing, uuid4(), "new", NOON)
        async with database.read() as meanwhile:
            assert await accounts.each(meanwhile) == []
        await writing.commit()
        assert await accounts.each(before) == []
        async with database.read() as after:
            assert len(await accounts.each(after)) == 1
    await other.close()


async def test_writers_of_two_processes_follow_one_another(database: Database, path: Path) -> None:
    """Each reads a count and writes one more: with writers side by side, counts would be lost."""
    other = Database(path)
    async with database.write() as tx:
        await tx.execute(text("CREATE TABLE counts (n INTEGER)"))
        await tx.execute(text("INSERT INTO counts VALUES (0)"))

    async def count(one: Database) -> None:
        for _ in range(10):
            async with one.write() as tx:
                n = (await tx.execute(text("SELECT n FROM counts"))).scalar_one()
                await asyncio.sleep(0)
                await tx.execute(text("UPDATE counts SET n = :n"), {"n": n + 1})

    await asyncio.gather(*(count(one) for one in (database, other, database, other)))
    async with database.read() as tx:
        assert (await tx.execute(text("SELECT n FROM counts"))).scalar_one() == 40
    await other.close()


async def test_many_writers_leave_room_for_readers(database: Database) -> None:
    """More writers than connections of the pool wait for a writer that is at work; a reader does not."""
    at_work, finish = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        async with database.write():
            at_work.set()
            await finish.wait()

    async def queue() -> None:
        async with database.write():
            pass

    writers = [asyncio.create_task(work())]
    await at_work.wait()
    writers += [asyncio.create_task(queue()) for _ in range(50)]
    await asyncio.sleep(0)
    async with asyncio.timeout(5), database.read() as tx:
        assert await accounts.each(tx) == []
    finish.set()
    await asyncio.gather(*writers)


@pytest.mark.parametrize("name", ["a b.sqlite3", "what?.sqlite3", "50%41#1.sqlite3", "Каталог;x=1.sqlite3"])
async def test_any_path_is_opened_as_it_is_spelt(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    schema.migrate(path)
    database = Database(path)
    async with database.write() as tx:
        await accounts.add(tx, uuid4(), "north", NOON)
    await database.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM accounts").fetchall() == [("north",)]
    assert url(path).database == str(path)
