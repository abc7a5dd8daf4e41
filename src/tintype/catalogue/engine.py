"""The database behind the catalogue; every difference between databases is in this file."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, CursorResult, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

BUSY_SECONDS = 30
"""How long a writer waits for another process's write transaction before it gives up."""


class Database:
    """Read and write transactions on one catalogue.

    Args:
        path: the SQLite file; created when it is missing.
    """

    def __init__(self, path: Path) -> None:
        self._engine = create_async_engine(url(path), connect_args={"timeout": BUSY_SECONDS})
        _teach_sqlite(self._engine)
        # Our own writers queue here: waiting inside SQLite, each would keep a connection from the readers.
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that sees one state of the catalogue and changes nothing."""
        async with self._engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that commits when the block ends, or leaves no trace when it raises.

        Write transactions follow one another, across processes too: what one has checked stays true
        until it ends.
        """
        async with self._turn, self._engine.connect() as connection:
            await connection.execution_options(tintype_write=True)
            async with connection.begin():
                yield connection

    async def close(self) -> None:
        """Give all connections back."""
        await self._engine.dispose()


def first_key(result: CursorResult[Any]) -> int:
    """The integer key that the database gave to an inserted row."""
    key = result.inserted_primary_key
    if key is None:
        raise TypeError("the statement was no insert of one row")
    return int(key[0])


def url(path: Path) -> URL:
    """The SQLAlchemy address of an SQLite file, whatever characters its path has."""
    return URL.create("sqlite+aiosqlite", database=str(path))


def _teach_sqlite(engine: AsyncEngine) -> None:
    """WAL, durable commits, foreign keys, and transactions that begin where we say they do."""

    @event.listens_for(engine.sync_engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:  # noqa: ANN401  a driver's own connection
        # The driver would begin transactions late and by its own rules; None leaves that to us.
        connection.isolation_level = None
        cursor = connection.cursor()
        # FULL: in WAL mode the default syncs only at checkpoints, and a power cut could take back
        # what a client was told is kept.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "invalidate")
    def _on_invalidate(connection: Any, _record: object, _error: object) -> None:  # noqa: ANN401  as above
        # A statement was cancelled, and its connection will be closed. SQLite closes it only when the
        # last cursor is collected, and would hold the write lock until then.
        connection.rollback()

    @event.listens_for(engine.sync_engine, "begin")
    def _on_begin(connection: Any) -> None:  # noqa: ANN401  SQLAlchemy's sync connection
        writing = connection.get_execution_options().get("tintype_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
