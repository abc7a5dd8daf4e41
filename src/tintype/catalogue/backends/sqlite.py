"""SQLite: how it is opened, locked, interrupted and watched, and what its errors mean."""

import functools
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, create_engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from tintype.catalogue.backends import Insert
from tintype.catalogue.backends.wal_index import WalIndex
from tintype.catalogue.errors import CatalogueError, locked
from tintype.model import Error, InsufficientStorage

LOCK_TIMEOUT = 30
"""Default number of seconds to wait for locks of other processes."""

_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_UNWRITABLE = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY})
_WRITE_FAILED = frozenset(
    {sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_SHMSIZE}
)
"""Extended result codes for a disk that can't be written to; SHMSIZE: the shared-memory file can't grow."""
_UNOPENED = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN})


class SqliteBackend:
    """A catalogue in one SQLite file, which is never created if it is missing.

    Args:
        path: the file.
        lock_timeout: seconds to wait for locks, except for the write lock.
    """

    def __init__(self, path: Path, lock_timeout: float = LOCK_TIMEOUT) -> None:
        self._path = path
        self._lock_timeout = lock_timeout
        self.engine = create_engine(
            "sqlite://",
            # Connections move between threads, but are used by one at a time.
            creator=functools.partial(connect, path, lock_timeout, check_same_thread=False),
            poolclass=NullPool,
        )
        event.listen(self.engine, "connect", _configure)
        self._watcher: sqlite3.Connection | None = None
        self._index: WalIndex | None = None

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Raise our own errors for those of SQLAlchemy and the driver."""
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as failed:
            raise _error(failed) from failed

    def begin_read(self, connection: Connection) -> None:
        """Begin a transaction; its snapshot is that of its first statement."""
        _begin(connection, "BEGIN")

    def begin_write(self, connection: Connection, lock_timeout: float) -> None:
        """Begin a transaction with the write lock: those of all processes follow one another."""
        _set_busy_timeout(connection, lock_timeout)
        try:
            _begin(connection, "BEGIN IMMEDIATE")
        finally:
            _set_busy_timeout(connection, self._lock_timeout)

    def end(self, connection: Connection) -> None:
        """Roll back what was not committed."""
        connection.rollback()
        if _driver(connection).in_transaction:
            # After a failed commit SQLAlchemy assumes that the transaction has ended.
            _driver(connection).rollback()

    def interrupt(self, connection: Connection) -> None:
        """Stop the statement that a thread executes."""
        _driver(connection).interrupt()

    def state(self) -> bytes | None:
        """The header of the WAL index, read from shared memory; None if there is none."""
        try:
            if self._index is None:
                self._index = self._open_index()
            return self._index.state()
        except (sqlite3.Error, OSError, ValueError):
            return None

    def state_seen_by(self, connection: Connection) -> int:
        """SQLite's `data_version`."""
        (version,) = _driver(connection).execute("PRAGMA data_version").fetchone()
        return int(version)

    def insert(self, table: Table) -> Insert:
        """SQLite's INSERT."""
        return sqlite.insert(table)

    def close(self) -> None:
        """Close what `state` opened."""
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None
        if self._index is not None:
            # Last: see WalIndex.
            self._index.close()
            self._index = None

    def _open_index(self) -> WalIndex:
        if self._watcher is None:
            self._watcher = connect(self._path, 0, isolation_level=None, check_same_thread=False)
        # The shared memory exists from this connection's first read until it is closed.
        self._watcher.execute("PRAGMA data_version").fetchone()
        return WalIndex(self._path)


def connect(path: Path, lock_timeout: float = LOCK_TIMEOUT, **options: Any) -> sqlite3.Connection:  # noqa: ANN401  the driver's
    """Connect to an existing SQLite file; its path may have any characters.

    Args:
        path: the file.
        lock_timeout: seconds to wait for locks.
        options: more arguments of `sqlite3.connect`.

    Raises:
        sqlite3.Error: the file is missing, among others.
    """
    address = f"{path.absolute().as_uri()}?mode=rw"
    connection: sqlite3.Connection = sqlite3.connect(address, uri=True, timeout=lock_timeout, **options)
    return connection


@contextmanager
def file_errors() -> Iterator[None]:
    """Raise `CatalogueError` for errors of a file that is opened without SQLAlchemy."""
    try:
        yield
    except sqlite3.Error as failed:
        raise CatalogueError(_sentence(failed)) from failed


def _configure(connection: Any, _record: object) -> None:  # noqa: ANN401  a driver's own connection
    """Turn on WAL, durable commits, foreign keys, and explicit BEGIN."""
    # None: the driver doesn't begin transactions by itself.
    connection.isolation_level = None
    # FULL: in WAL mode the default syncs only at checkpoints, and a power cut could undo transactions that
    # were acknowledged to clients.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _set_busy_timeout(connection: Connection, seconds: float) -> None:
    _driver(connection).execute(f"PRAGMA busy_timeout={int(seconds * 1000)}")


def _begin(connection: Connection, how: str) -> None:
    connection.begin()
    _driver(connection).execute(how)


def _driver(connection: Connection) -> Any:  # noqa: ANN401  a driver's own connection
    return connection.connection.driver_connection


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
