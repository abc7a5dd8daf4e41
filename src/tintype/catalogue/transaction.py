"""What queries are given: a transaction that one thread uses."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult, Executable, Row, Table

from tintype.catalogue.backends import Backend, Insert

T = TypeVar("T")

BATCH = 1_000
"""Maximum number of values in one `IN (…)`; SQLite allows 32,766 parameters."""


class Rows:
    """The rows of a statement, all fetched: an open cursor would keep the transaction from being ended."""

    def __init__(self, result: CursorResult[Any]) -> None:
        self._rows = result.all() if result.returns_rows else ()

    def __iter__(self) -> Iterator[Row[Any]]:
        return iter(self._rows)

    def first(self) -> Row[Any] | None:
        """The first row; None if there are no rows."""
        return self._rows[0] if self._rows else None

    def scalar_one(self) -> Any:  # noqa: ANN401  a column's value
        """The only value of the only row."""
        ((value,),) = self._rows
        return value

    def scalar_one_or_none(self) -> Any:  # noqa: ANN401  a column's value
        """The only value of the only row; None if there is no row."""
        return self.scalar_one() if self._rows else None


class Transaction:
    """An open transaction. It belongs to one thread, and ends when the function that was given it returns."""

    def __init__(self, connection: Connection, backend: Backend) -> None:
        self._connection = connection
        self._backend = backend

    def execute(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Rows:
        """Execute a statement, and fetch its rows."""
        return Rows(self._connection.execute(statement, parameters))

    def lock(self, name: str) -> None:
        """Let write transactions that lock the same name follow one another, until this one has ended.

        For what no constraint says: that something is not there.
        """
        self._backend.lock(self._connection, name)

    def insert(self, table: Table) -> Insert:
        """An INSERT that can say what to do when a unique value is there already."""
        return self._backend.insert(table)


def batches(values: Iterable[T]) -> Iterator[list[T]]:
    """Distinct values, in batches that fit into one statement."""
    remaining = iter(dict.fromkeys(values))
    while batch := list(itertools.islice(remaining, BATCH)):
        yield batch
