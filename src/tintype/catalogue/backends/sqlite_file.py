"""The file of an SQLite catalogue: opened, read, copied and upgraded without a service."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from tintype.catalogue.errors import CatalogueError, locked
from tintype.model import Error, InsufficientStorage

SUFFIX = ".sqlite3"
CATALOGUE = f"catalogue{SUFFIX}"
"""The name of a catalogue in the folder of a library, and in a backup."""
LOCK_TIMEOUT = 30
"""Default number of seconds to wait for locks of other processes."""
RETRY_SECONDS = 0.01

_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_UNWRITABLE = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY})
_WRITE_FAILED = frozenset(
    {sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_SHMSIZE}
)
"""Extended result codes for a disk that can't be written to; SHMSIZE: the shared-memory file can't grow."""
_UNOPENED = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN})


def connect(path: Path, lock_timeout: float = LOCK_TIMEOUT, **options: Any) -> sqlite3.Connection:  # noqa: ANN401  the driver's
    """Connect to an existing SQLite file; its path may have any characters.

    Args:
        path: the file.
        lock_timeout: seconds to wait for locks.
        options: more arguments of `sqlite3.connect`.

    Raises:
        sqlite3.Error: when the file is missing, among others.
    """
    address = f"{path.absolute().as_uri()}?mode=rw"
    connection: sqlite3.Connection = sqlite3.connect(address, uri=True, timeout=lock_timeout, **options)
    return connection


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to an existing file, for the block.

    Raises:
        CatalogueError: when the file is missing or no database, among others.
    """
    try:
        with closing(connect(path)) as connection:
            yield connection
    except sqlite3.Error as failed:
        raise CatalogueError(_sentence(failed)) from failed


def table_names(path: Path) -> set[str]:
    """The names of all tables in an existing file."""
    with opened(path) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}


def drop_statistics(path: Path) -> None:
    """Remove the statistics of ANALYZE.

    The queries are tuned for SQLite's plans without statistics, which never change. With statistics from when
    the catalogue was small, SQLite would choose full scans after it has grown.
    """
    with opened(path) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE name GLOB 'sqlite_stat[0-9]'")
        for (name,) in tables.fetchall():
            connection.execute(f"DROP TABLE {name}")


def copy(path: Path, to: Path) -> None:
    """Copy what was committed before this call into an existing, empty file; it blocks no writer."""
    with opened(path) as source, opened(to) as target:
        source.backup(target)
        # A single file without -wal: it can be read from a read-only disk.
        target.execute("PRAGMA journal_mode=DELETE")


@contextmanager
def upgrading(path: Path) -> Iterator[Connection]:
    """A connection to an existing file in one transaction, committed at the end of the block.

    A second process that upgrades at the same time waits at the start of its own.
    """
    with opened(path) as raw, errors():
        raw.isolation_level = None
        _turn_on_wal(raw)
        engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        with engine.begin() as connection:
            yield connection


@contextmanager
def errors() -> Iterator[None]:
    """Raise our own errors for those of SQLAlchemy and the driver; see `Backend.errors`."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as failed:
        raise _error(failed) from failed


def _turn_on_wal(raw: sqlite3.Connection) -> None:
    # busy_timeout has no effect on a change of the journal mode, so we retry.
    deadline = time.monotonic() + LOCK_TIMEOUT
    while True:
        try:
            raw.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(RETRY_SECONDS)
        else:
            return


def _error(failed: SQLAlchemyError | sqlite3.Error) -> Error | CatalogueError:
    reason = failed.orig if isinstance(failed, DBAPIError) else failed
    code = getattr(reason, "sqlite_errorcode", 0)
    # The low byte is SQLite's primary result code.
    if code & 0xFF in _LOCKED:
        return locked()
    if code & 0xFF in _UNWRITABLE or code in _WRITE_FAILED:
        return InsufficientStorage(str(reason))
    return CatalogueError(f"The catalogue does not answer: {reason}.")


def _sentence(failed: sqlite3.Error) -> str:
    if getattr(failed, "sqlite_errorcode", 0) & 0xFF in _UNOPENED:
        return (
            "The catalogue can't be opened, because SQLite writes files beside it even for reading: make the "
            f"data folder and its files writable, or use a writable copy of the folder ({failed})."
        )
    return f"The catalogue can't be read: {failed}."
