"""The WAL index detects every change, whichever process makes it."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from tests.catalogue.conftest import NOON
from tintype.catalogue import Database, accounts
from tintype.catalogue.backends.wal_index import WalIndex

WRITE = "INSERT INTO counted VALUES (1)"


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as opened:
        opened.execute("CREATE TABLE counted (n)")
        yield opened


@pytest.fixture
def index(connection: sqlite3.Connection, path: Path) -> Iterator[WalIndex]:  # noqa: ARG001  it has to be open
    opened = WalIndex(path)
    yield opened
    opened.close()


def test_every_commit_changes_it_and_nothing_else_does(
    connection: sqlite3.Connection, index: WalIndex
) -> None:
    seen = [index.state()]
    for statement in ("SELECT * FROM counted", "BEGIN IMMEDIATE", WRITE, "ROLLBACK"):
        connection.execute(statement)
        assert index.state() == seen[0]
    for _ in range(300):
        connection.execute(WRITE)
        seen.append(index.state())
    assert None not in seen
    assert len(set(seen)) == len(seen)


def test_a_checkpoint_hides_no_change(connection: sqlite3.Connection, index: WalIndex) -> None:
    seen: set[bytes | None] = set()
    for how in ("PASSIVE", "FULL", "RESTART", "TRUNCATE"):
        connection.execute(WRITE)
        connection.execute(f"PRAGMA wal_checkpoint({how})")
        before = index.state()
        connection.execute(WRITE)
        assert index.state() not in {*seen, before}
        seen.add(before)


def test_another_process_changes_it(index: WalIndex, path: Path) -> None:
    before = index.state()
    program = f"import sqlite3, sys; sqlite3.connect(sys.argv[1], isolation_level=None).execute({WRITE!r})"
    subprocess.run([sys.executable, "-c", program, path], check=True)
    assert index.state() != before


def test_one_that_is_closed_takes_no_locks_from_the_others(
    connection: sqlite3.Connection, index: WalIndex, path: Path
) -> None:
    """If it did, the next process would consider the memory unused, and truncate it."""
    WalIndex(path).close()
    before = index.state()
    connection.execute("BEGIN IMMEDIATE")
    other = (
        "import sqlite3, sys\n"
        "try: sqlite3.connect(sys.argv[1], 0, isolation_level=None).execute('BEGIN IMMEDIATE')\n"
        "except sqlite3.OperationalError as locked: print(locked)"
    )
    completed = subprocess.run(
        [sys.executable, "-c", other, path], check=True, capture_output=True, text=True
    )
    assert completed.stdout == "database is locked\n"
    connection.execute("ROLLBACK")
    assert index.state() == before


def test_unused_memory_has_no_state(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        WalIndex(tmp_path / "catalogue.sqlite3")
    (tmp_path / "catalogue.sqlite3-shm").write_bytes(b"")
    with pytest.raises(ValueError, match="greater than file size"):
        WalIndex(tmp_path / "catalogue.sqlite3")
    (tmp_path / "catalogue.sqlite3-shm").write_bytes(bytes(32768))
    index = WalIndex(tmp_path / "catalogue.sqlite3")
    assert index.state() is None
    index.close()


async def test_a_database_sees_its_own_changes_and_those_of_others(path: Path) -> None:
    one, other = Database(path), Database(path)
    seen = [one.state(), one.state()]
    assert seen[0] == seen[1] is not None
    for database in (one, other):
        await database.write(accounts.get_or_create, UUID(int=len(seen)), f"account {len(seen)}", NOON)
        seen.append(one.state())
    assert len(set(seen)) == 3
    await other.close()
    assert one.state() == seen[-1]
    await one.close()
