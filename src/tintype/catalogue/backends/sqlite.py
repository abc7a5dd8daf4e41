"""SQLite: how it is configured, locked, interrupted and watched."""

import functools
import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, create_engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.compiler import SQLCompiler

from tintype.catalogue.backends import Contains, Insert
from tintype.catalogue.backends.sqlite_file import LOCK_TIMEOUT, connect, errors
from tintype.catalogue.backends.wal_index import WalIndex


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

    def errors(self) -> AbstractContextManager[None]:
        """Raise our own errors for those of SQLAlchemy and the driver."""
        return errors()

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

    def lock(self, connection: Connection, name: str) -> None:
        """Nothing to do: there is one write transaction at a time."""

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


@compiles(Contains, "sqlite")
def _contains(element: Contains, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401  SQLAlchemy's
    return f"(instr({compiler.process(element.clauses, **options)}) > 0)"
