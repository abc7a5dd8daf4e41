"""Faults of the database become `Error`, soon, and block nothing else."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, closing, contextmanager
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from tests.catalogue.conftest import NOON
from tests.catalogue.holding import held_open
from tintype.catalogue import CatalogueError, Database, Transaction, accounts, schema, snapshot
from tintype.catalogue.database import READERS
from tintype.model import InsufficientStorage, Overloaded

PATIENCE = 0.5
WRITERS = 40


@pytest.fixture
async def hurried(path: Path) -> AsyncIterator[Database]:
    """A database whose writers wait for half a second."""
    opened = Database(path, lock_timeout=PATIENCE)
    yield opened
    await opened.close()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """The catalogue, while another program writes it and takes its time."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


async def write(database: Database) -> None:
    def change(tx: Transaction) -> None:
        accounts.set_allowed_sizes(tx, accounts.list_all(tx)[0].id, "1x1")

    await database.write(change)


@pytest.fixture
async def account(hurried: Database) -> None:
    await hurried.write(accounts.get_or_create, UUID(int=1), "a", NOON)


@pytest.mark.usefixtures("account")
async def test_writers_of_a_locked_catalogue_fail_soon(hurried: Database, path: Path) -> None:
    with locked(path):
        began = time.monotonic()
        writers = [asyncio.create_task(write(hurried)) for _ in range(WRITERS)]
        refused = await asyncio.gather(*writers, return_exceptions=True)
        # All of them: they wait together, not one after the other.
        assert time.monotonic() < began + WRITERS * PATIENCE / 2
    for error in refused:
        assert isinstance(error, Overloaded)
        assert error.retry_after == 5
    await write(hurried)


@pytest.mark.usefixtures("account")
async def test_a_writer_that_waited_in_vain_makes_the_next_no_less_patient(
    hurried: Database, path: Path
) -> None:
    with locked(path):
        for _ in range(3):
            began = time.monotonic()
            with pytest.raises(Overloaded):
                await write(hurried)
            assert time.monotonic() - began > 0.9 * PATIENCE


@pytest.mark.usefixtures("account")
async def test_readers_of_a_locked_catalogue_go_on(path: Path) -> None:
    patient = Database(path, lock_timeout=60)
    with locked(path):
        writers = [asyncio.create_task(write(patient)) for _ in range(20)]
        assert [each.name for each in await patient.read(accounts.list_all)] == ["a"]
        assert not any(writer.done() for writer in writers)
    await asyncio.gather(*writers)
    await patient.close()


@pytest.mark.parametrize("pragma", ["max_page_count", "query_only"])
@pytest.mark.usefixtures("account")
async def test_an_unwritable_disk_is_distinguished_from_other_faults(hurried: Database, pragma: str) -> None:
    with pytest.raises(InsufficientStorage) as refused:
        await fill(hurried, pragma)
    assert refused.value.retry_after == 30
    assert isinstance(refused.value.__cause__, OperationalError)
    await hurried.read(lambda tx: tx.execute(text(f"PRAGMA {pragma} = 0")))
    assert len(await hurried.read(accounts.list_all)) == 1
    with pytest.raises(CatalogueError, match="no such table"):
        await hurried.read(lambda tx: tx.execute(text("SELECT * FROM missing")))


def broken(path: Path) -> None:
    path.write_bytes(b"this is no database, but long enough to be taken for one" * 100)


def damaged(path: Path) -> None:
    """The pages of tables hold nonsense; the header, and with it the first read, is good."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))


@pytest.mark.parametrize("spoil", [Path.unlink, broken, damaged])
async def test_every_other_fault_is_a_catalogue_error(path: Path, spoil: Callable[[Path], None]) -> None:
    """Neither SQLAlchemy's errors nor the driver's come out of the catalogue."""
    spoil(path)
    database = Database(path)
    watch = database.polling_connection()
    for work in (
        database.read(accounts.list_all),
        database.write(accounts.get_or_create, UUID(int=1), "a", NOON),
    ):
        with pytest.raises(CatalogueError) as failed:
            await work
        assert isinstance(failed.value.__cause__, SQLAlchemyError | sqlite3.Error)
    with pytest.raises(CatalogueError):
        await asyncio.to_thread(watch.read, accounts.list_all)
    watch.close()
    await database.close()


@pytest.mark.parametrize(
    "read",
    [
        schema.revision,
        schema.migrate,
        snapshot.contents,
        lambda path: list(snapshot.originals(path)),
        lambda path: snapshot.snapshot(path, path.with_name("copy")),
    ],
)
def test_a_file_that_is_no_catalogue_is_a_catalogue_error(path: Path, read: Callable[[Path], object]) -> None:
    broken(path)
    with pytest.raises(CatalogueError, match="The catalogue can't be read: file is not a database"):
        read(path)


async def fill(database: Database, pragma: str) -> None:
    def change(tx: Transaction) -> None:
        tx.execute(text(f"PRAGMA {pragma} = 1"))
        for n in range(2, 1000):
            accounts.get_or_create(tx, UUID(int=n), f"account {n}" * 20, NOON)

    await database.write(change)


async def test_the_polling_connection_works_while_all_readers_are_busy(hurried: Database) -> None:
    watch = hurried.polling_connection()
    async with AsyncExitStack() as taken:
        for _ in range(READERS):
            await taken.enter_async_context(held_open(hurried.read))
        before = await asyncio.to_thread(watch.state)
        assert await asyncio.to_thread(watch.state) == before
        await hurried.write(accounts.get_or_create, UUID(int=1), "a", NOON)
        assert await asyncio.to_thread(watch.state) != before
        assert [each.name for each in await asyncio.to_thread(watch.read, accounts.list_all)] == ["a"]
    watch.close()
