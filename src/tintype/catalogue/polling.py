"""A connection for a thread that polls, beside those of requests."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from tintype.catalogue import session
from tintype.catalogue.backends import Backend
from tintype.catalogue.transaction import Transaction

P = ParamSpec("P")
T = TypeVar("T")


class PollingConnection:
    """A connection for one polling thread, independent of the pool that requests use."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._connection: Connection | None = None
        self._opened = 0

    def read(
        self, function: Callable[Concatenate[Transaction, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The result of a function that reads one snapshot of the catalogue, on this thread."""
        with self._usable() as connection:
            return session.read(
                self._backend, connection, lambda tx: function(tx, *args, **kwargs), session.Stop()
            )

    def state(self) -> Hashable:
        """The version of the data: differs after any other connection has committed a change."""
        with self._usable() as connection, session.ended(self._backend, connection):
            # What two connections say can't be compared.
            return self._opened, self._backend.state_seen_by(connection)

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _usable(self) -> Iterator[Connection]:
        """The connection; it is closed when the block fails, as it may be the cause."""
        if self._connection is None:
            self._connection = session.connect(self._backend)
            self._opened += 1
        try:
            yield self._connection
        except BaseException:
            self.close()
            raise
