"""Transactions: durable, atomic, one writer at a time."""

import asyncio
import inspect
import sqlite3
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import IntegrityError, OperationalError

from tests.catalogue.conftest import NOON, Sample
from tests.catalogue.holding import held_open
from tests.unhandled import unhandled
from tintype.catalogue import CatalogueError, Database, Transaction, accounts, schema
from tintype.catalogue.database import READERS

FULL = 2
ENDLESS = "WITH RECURSIVE c(n) AS (SELECT began() UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c"


def add_one(tx: Transaction) -> None:
    n = tx.execute(text("SELECT n FROM counts")).scalar_one()
    time.sleep(0.001)
    tx.execute(text("UPDATE counts SET n = :n"), {"n": n + 1})


async def count_up(database: Database) -> None:
    for _ in range(25):
        await database.write(add_one)


COUNTER = f"""
import asyncio, pathlib, sys, time
from sqlalchemy import text
from tintype.catalogue import Database, Transaction

{inspect.getsource(add_one)}
{inspect.getsource(count_up)}

async def main():
    await count_up(Database(pathlib.Path(sys.argv[1])))

asyncio.run(main())
"""


class Watched:
    """A catalogue whose statements can say that they are under way: `began()`, and `hold()`, which waits."""

    def __init__(self, path: Path) -> None:
        self.go_on = threading.Event()
        self._path = path
        self.database = Database(path)
        self._begun = threading.Event()

    def teach(self, driver: Any, _record: object) -> None:  # noqa: ANN401  a driver's own connection
        driver.create_function("began", 0, self._began)
        driver.create_function("hold", 0, self._hold)

    async def run(self, kind: str, sql: str) -> None:
        transact = self.database.read if kind == "read" else self.database.write
        await transact(lambda tx: tx.execute(text(sql)))

    async def under_way(self) -> None:
        assert await asyncio.to_thread(self._begun.wait, 30)

    def write_lock_is_free(self) -> bool:
        with closing(sqlite3.connect(self._path, timeout=0)) as other:
            other.execute("BEGIN IMMEDIATE")
        return True

    def _began(self) -> int:
        self._begun.set()
        return 0

    def _hold(self) -> int:
        self._begun.set()
        return int(self.go_on.wait(30))


@pytest.fixture
async def watched(path: Path) -> AsyncIterator[Watched]:
    made = Watched(path)
    event.listen(Engine, "connect", made.teach)
    yield made
    event.remove(Engine, "connect", made.teach)
    await made.database.close()


@pytest.mark.parametrize("kind", ["read", "write"])
async def test_every_connection_is_durable_and_checks_references(database: Database, kind: str) -> None:
    def ask(tx: Transaction) -> tuple[object, ...]:
        names = ("journal_mode", "synchronous", "foreign_keys")
        return tuple(tx.execute(text(f"PRAGMA {name}")).scalar_one() for name in names)

    # Several at once, so that more than the first connection of the pool is asked.
    transact = database.read if kind == "read" else database.write
    assert set(await asyncio.gather(*(transact(ask) for _ in range(5)))) == {("wal", FULL, 1)}


async def test_a_reference_to_nothing_is_refused(sample: Sample) -> None:
    with pytest.raises(CatalogueError, match="FOREIGN KEY") as refused:
        await sample.database.write(accounts.get_or_create_person, uuid4(), "Nobody's", NOON)
    assert isinstance(refused.value.__cause__, IntegrityError)


async def test_a_transaction_that_raises_leaves_no_trace(database: Database) -> None:
    def fail(tx: Transaction) -> None:
        accounts.get_or_create(tx, uuid4(), "half", NOON)
        _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        await database.write(fail)
    assert await database.read(accounts.list_all) == []


async def test_a_cancelled_transaction_leaves_no_trace_and_blocks_no_other(database: Database) -> None:
    loop, begun, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def wait(tx: Transaction) -> None:
        accounts.get_or_create(tx, uuid4(), "whole", NOON)
        loop.call_soon_threadsafe(begun.set)
        assert go_on.wait(30)

    task = asyncio.create_task(database.write(wait))
    await begun.wait()
    task.cancel()
    # Its function goes on, as no statement is under way that could be stopped, and returns.
    loop.call_later(0.05, go_on.set)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await database.write(accounts.list_all) == []


@pytest.mark.parametrize("kind", ["read", "write"])
async def test_a_cancelled_statement_is_stopped(watched: Watched, kind: str) -> None:
    """Left alone it would run for ever."""
    task = asyncio.create_task(watched.run(kind, ENDLESS))
    await watched.under_way()
    task.cancel()
    async with asyncio.timeout(30):
        await asyncio.wait([task])
    assert task.cancelled()
    assert watched.write_lock_is_free()


@pytest.mark.parametrize("kind", ["read", "write"])
@pytest.mark.parametrize("sql", [ENDLESS, "SELECT hold()"])
async def test_a_cancelled_transaction_logs_nothing(watched: Watched, kind: str, sql: str) -> None:
    """Else any client that disconnects would write a traceback into the log."""
    with unhandled() as contexts:
        task = asyncio.create_task(watched.run(kind, sql))
        await watched.under_way()
        task.cancel()
        asyncio.get_running_loop().call_later(0.05, watched.go_on.set)
        await asyncio.wait([task])
    assert contexts == []


@pytest.mark.parametrize("kind", ["read", "write"])
async def test_whoever_is_cancelled_waits_for_the_thread(watched: Watched, kind: str) -> None:
    """Otherwise the next transaction would have a connection that a thread still works on."""
    task = asyncio.create_task(watched.run(kind, "SELECT hold()"))
    await watched.under_way()
    for _ in range(2):
        task.cancel()
        await asyncio.wait([task], timeout=0.05)
        assert not task.done()
    watched.go_on.set()
    await asyncio.wait([task])
    assert task.cancelled()
    assert watched.write_lock_is_free()


def add_two(tx: Transaction) -> None:
    accounts.get_or_create(tx, uuid4(), "one", NOON)
    accounts.get_or_create(tx, uuid4(), "two", NOON)


@pytest.mark.parametrize("turns", range(0, 40, 2))
async def test_cancelled_at_any_step_it_is_done_whole_or_not_at_all(
    database: Database, path: Path, turns: int
) -> None:
    async def work() -> None:
        await database.read(accounts.list_all)
        await database.write(add_two)
        await database.read(accounts.list_all)

    task = asyncio.create_task(work())
    for _ in range(turns):
        # A thread has time to answer meanwhile, or not: either has to be right.
        await asyncio.sleep(0.0005)
    task.cancel()
    await asyncio.wait([task])
    with closing(sqlite3.connect(path, timeout=0)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert other.execute("SELECT count(*) FROM accounts").fetchone()[0] in {0, 2}
    await database.write(accounts.get_or_create, uuid4(), "three", NOON)
    # Every connection there is, at once: none is lost, and none is in an old transaction.
    for found in await asyncio.gather(*(database.read(accounts.list_all) for _ in range(READERS + 1))):
        assert len(found) in {1, 3}


async def test_a_reader_sees_one_state_and_never_a_half_done_one(database: Database, path: Path) -> None:
    other = Database(path)
    async with held_open(other.write, lambda tx: accounts.get_or_create(tx, uuid4(), "new", NOON)):
        assert await database.read(accounts.list_all) == []
    assert len(await database.read(accounts.list_all)) == 1
    await other.close()


async def test_a_transaction_that_reads_sees_one_state(database: Database) -> None:
    """Its second statement does not see what was written after its first."""
    loop = asyncio.get_running_loop()

    def ask_twice(tx: Transaction) -> tuple[int, int]:
        first = len(accounts.list_all(tx))
        # On the thread of the question: the loop is free to write.
        writing = database.write(accounts.get_or_create, uuid4(), "new", NOON)
        asyncio.run_coroutine_threadsafe(writing, loop).result(30)
        return first, len(accounts.list_all(tx))

    assert await database.read(ask_twice) == (0, 0)
    assert len(await database.read(accounts.list_all)) == 1


async def test_an_error_in_a_transaction_is_raised_where_it_was_asked_for(database: Database) -> None:
    with pytest.raises(CatalogueError, match="nowhere") as failed:
        await database.read(lambda tx: tx.execute(text("SELECT 1 FROM nowhere")))
    assert isinstance(failed.value.__cause__, OperationalError)
    assert await database.read(accounts.list_all) == []


async def test_more_readers_than_there_is_room_for_wait(path: Path) -> None:
    database = Database(path, readers=2)
    async with AsyncExitStack() as readers:
        for _ in range(2):
            await readers.enter_async_context(held_open(database.read))
        third = asyncio.create_task(database.read(accounts.list_all))
        await asyncio.wait([third], timeout=0.05)
        assert not third.done()
    assert await third == []
    await database.close()


async def test_writers_of_several_processes_follow_one_another(database: Database, path: Path) -> None:
    """Each reads a count and writes one more: with writers side by side, counts would be lost."""
    await database.write(lambda tx: tx.execute(text("CREATE TABLE counts (n INTEGER)")))
    await database.write(lambda tx: tx.execute(text("INSERT INTO counts VALUES (0)")))
    others = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", COUNTER, str(path)) for _ in range(2)
    ]
    here = Database(path)
    await asyncio.gather(count_up(database), count_up(here), *(other.wait() for other in others))
    count = text("SELECT n FROM counts")
    assert await database.read(lambda tx: tx.execute(count).scalar_one()) == 4 * 25
    await here.close()


async def test_many_writers_leave_room_for_readers(database: Database) -> None:
    """More writers than connections of the pool wait for a writer that is at work; a reader does not."""
    async with held_open(database.write):
        writers = [asyncio.create_task(database.write(lambda _: None)) for _ in range(50)]
        await asyncio.sleep(0)
        # Otherwise it would wait until the block ends.
        async with asyncio.timeout(30):
            assert await database.read(accounts.list_all) == []
    await asyncio.gather(*writers)


@pytest.mark.parametrize("name", ["a b.sqlite3", "what?.sqlite3", "50%41#1.sqlite3", "Каталог;x=1.sqlite3"])
async def test_any_path_is_opened_as_it_is_spelt(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    schema.migrate(path)
    database = Database(path)
    await database.write(accounts.get_or_create, uuid4(), "north", NOON)
    await database.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM accounts").fetchall() == [("north",)]


async def test_a_catalogue_that_is_missing_is_not_made(tmp_path: Path) -> None:
    database = Database(tmp_path / "catalogue.sqlite3")
    assert database.state() is None
    with pytest.raises(CatalogueError, match="unable to open"):
        await database.read(accounts.list_all)
    await database.close()
    assert names(tmp_path) == []


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]
