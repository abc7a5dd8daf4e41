"""What is unique is so by constraints, whatever others write between a query and its insert."""

import asyncio
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import Engine

from tests.catalogue.conftest import NOON, Sample
from tintype.catalogue import CatalogueError, Database, accounts, placements, publications, usage
from tintype.model import Placement, Usage

PLACE = Placement("product", "store", "till", "slot")
NAMES = 20

WRITER = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4
from tintype.catalogue import Database, accounts

def add(tx, name):
    account = accounts.get_or_create(tx, uuid4(), name, datetime.now(UTC))
    accounts.get_or_create_person(tx, account.id, name, datetime.now(UTC))

async def main():
    database = Database(Path(sys.argv[1]))
    for n in range(int(sys.argv[2])):
        await asyncio.gather(*(database.write(add, f"name {n}") for _ in range(3)))

asyncio.run(main())
"""


@contextmanager
def overtaken(table: str, theirs: str) -> Iterator[None]:
    """Another transaction commits a statement right before the next insert into a table.

    SQLite has no writers side by side. To the statement that follows it is the same.
    """
    left = [theirs]

    def overtake(_connection: object, cursor: Any, statement: str, *_: object) -> None:  # noqa: ANN401  the driver's
        if left and statement.startswith(f"INSERT INTO {table} "):
            cursor.connection.execute(left.pop())

    event.listen(Engine, "before_cursor_execute", overtake)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", overtake)
    assert not left


def another_account(name: str, number: int) -> str:
    values = f"'{uuid4().hex}', '{name}', {number}, 0"
    return f"INSERT INTO accounts (id, name, number, created_at) VALUES ({values})"  # noqa: S608  our own words


async def test_two_accounts_never_get_the_same_number(sample: Sample) -> None:
    """Another transaction gets the number that ours has just read."""
    overtake = f"""
        CREATE TRIGGER overtake BEFORE INSERT ON accounts
        WHEN NEW.name = 'ours' AND NOT EXISTS (SELECT 1 FROM accounts WHERE name = 'theirs')
        BEGIN
            INSERT INTO accounts (id, name, number, created_at)
            VALUES ('{uuid4().hex}', 'theirs', NEW.number, 0);
        END"""  # noqa: S608  our own words
    await sample.database.write(lambda tx: tx.execute(text(overtake)))
    ours = await sample.database.write(accounts.get_or_create, uuid4(), "ours", NOON)
    numbers = {each.name: each.number for each in await sample.database.read(accounts.list_all)}
    assert numbers == {"north": 1, "south": 2, "theirs": 3, "ours": 4}
    assert ours.number == 4


async def test_an_account_that_another_just_added_is_that_one(database: Database) -> None:
    with overtaken("accounts", another_account("a", 7)):
        found = await database.write(accounts.get_or_create, uuid4(), "a", NOON)
    assert found.number == 7
    assert await database.read(accounts.list_all) == [found]


async def test_an_id_that_is_in_use_is_refused(sample: Sample) -> None:
    with pytest.raises(CatalogueError, match="its id is in use"):
        await sample.database.write(accounts.get_or_create, sample.north.id, "west", NOON)


async def test_a_person_that_another_just_added_is_that_one(sample: Sample) -> None:
    values = f"77, '{sample.south.id.hex}', 'Anna', 'anna', 0"
    with overtaken("people", f"INSERT INTO people VALUES ({values})"):  # noqa: S608  our own words
        found = await sample.database.write(accounts.get_or_create_person, sample.south.id, "Anna", NOON)
    assert found.id == 77


async def test_a_place_that_another_just_took_is_taken(sample: Sample) -> None:
    number = await sample.add()
    values = f"'{sample.north.id.hex}', {number}, 'product', 'store', 'store', 'till', 'till', 'slot', ''"
    columns = "account_id, image, kind, container, container_key, holder, holder_key, slot, alt_text"
    theirs = f"INSERT INTO placements ({columns}) VALUES ({values})"  # noqa: S608  our own words
    with overtaken("placements", theirs):
        assert not await sample.database.write(placements.attach, sample.north.id, number, PLACE)


async def test_a_dialect_that_another_just_published_through_is_published(sample: Sample) -> None:
    theirs = f"INSERT INTO publications VALUES ('{sample.north.id.hex}', 'mews', 'signed')"  # noqa: S608  our own words
    with overtaken("publications", theirs):
        await sample.database.write(publications.add, sample.north.id, "mews")
    assert [*await sample.database.read(publications.get, sample.north.id)] == ["mews"]


async def test_what_another_just_added_to_the_usage_is_added_to(sample: Sample) -> None:
    theirs = f"INSERT INTO usage VALUES ('{sample.north.id.hex}', 2, 20)"  # noqa: S608  our own words
    with overtaken("usage", theirs):
        await sample.database.write(usage.add, sample.north.id, count=1, size=7)
    assert await sample.database.read(usage.get, sample.north.id) == Usage(3, 27)


async def test_of_writers_in_several_processes_and_threads_each_finds_the_same_row(path: Path) -> None:
    writers = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", WRITER, str(path), str(NAMES))
        for _ in range(2)
    ]
    assert [await each.wait() for each in writers] == [0, 0]
    with closing(sqlite3.connect(path)) as connection:
        for table, column in (("accounts", "number"), ("people", "account_id")):
            counts = connection.execute(f"SELECT count(*), count(DISTINCT {column}) FROM {table}")  # noqa: S608  our own words
            assert counts.fetchone() == (NAMES, NAMES)
