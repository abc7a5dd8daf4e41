"""What differs between databases: one protocol, and a module for each database that implements it."""

from collections.abc import Hashable
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeAlias

from sqlalchemy import Boolean, Connection, Engine, Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.functions import FunctionElement

Insert: TypeAlias = sqlite.Insert
"""An INSERT with `on_conflict_do_nothing` and `on_conflict_do_update`; those of PostgreSQL are the same."""


KEYS_NEVER_REUSED: dict[str, Any] = {"sqlite_autoincrement": True}
"""Options of a table whose integer keys are never given again, even after a delete; PostgreSQL needs none."""


class Contains(FunctionElement[bool]):
    """Whether a text contains another, to the letter. Each backend compiles it.

    Not LIKE: there are no wildcards to escape, and no limit on the length of the pattern.
    """

    type = Boolean()
    inherit_cache = True


class Backend(Protocol):
    """One database. A connection is used by one thread at a time, `interrupt` excepted."""

    @property
    def engine(self) -> Engine:
        """Opens connections; it pools none."""

    def errors(self) -> AbstractContextManager[None]:
        """Raise our own errors for those of SQLAlchemy and the driver.

        Raises:
            Overloaded: when the database stays locked.
            InsufficientStorage: when the disk can't be written to.
            CatalogueError: when it is any other error of the database.
        """

    def begin_read(self, connection: Connection) -> None:
        """Begin a transaction that reads one snapshot."""

    def begin_write(self, connection: Connection, lock_timeout: float) -> None:
        """Begin a transaction that writes, and wait at most so many seconds for others."""

    def lock(self, connection: Connection, name: str) -> None:
        """Wait until no other transaction holds the lock of this name, and hold it until this one ends."""

    def end(self, connection: Connection) -> None:
        """Roll back what was not committed."""

    def interrupt(self, connection: Connection) -> None:
        """Stop the statement that a thread executes; no effect when there is none. For another thread."""

    def state(self) -> Hashable | None:
        """The version of the data: differs after any process has committed a change; None if unknown.

        It takes a microsecond and never blocks: the event loop calls it.
        """

    def state_seen_by(self, connection: Connection) -> Hashable:
        """The version of the data, asked on a connection; differs after any other one committed a change."""

    def insert(self, table: Table) -> Insert:
        """An INSERT of this database, which can say what to do when a unique value is there already."""

    def close(self) -> None:
        """Close what `state` opened; after all connections are closed."""
