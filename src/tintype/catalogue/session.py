"""One transaction on one thread: begun, run, and ended, whatever happens."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection

from tintype.catalogue.backends import Backend
from tintype.catalogue.transaction import Transaction

T = TypeVar("T")


class Stop:
    """How the event loop stops the function of a transaction, but never its COMMIT or ROLLBACK."""

    def __init__(self, interrupt: Callable[[], None] = lambda: None) -> None:
        self._interrupt = interrupt
        self._lock = threading.Lock()
        self._is_interruptible = False
        self._is_requested = False

    def request(self) -> None:
        """Interrupt the statement that the function executes, and let none of its changes be committed."""
        with self._lock:
            self._is_requested = True
            if self._is_interruptible:
                self._interrupt()

    def run(self, function: Callable[[Transaction], T], transaction: Transaction) -> T:
        """Run the function of a transaction, on its thread.

        Raises:
            StoppedError: when it was to stop, though no statement was interrupted.
        """
        self._set_interruptible(to=True)
        try:
            result = function(transaction)
        finally:
            self._set_interruptible(to=False)
        if self._is_requested:
            raise StoppedError
        return result

    def _set_interruptible(self, *, to: bool) -> None:
        with self._lock:
            self._is_interruptible = to


class StoppedError(Exception):
    """The transaction was cancelled; nobody waits for this error."""


def connect(backend: Backend) -> Connection:
    """A new connection."""
    with backend.errors():
        return backend.engine.connect()


def read(backend: Backend, connection: Connection, function: Callable[[Transaction], T], stop: Stop) -> T:
    """The result of a function that reads one snapshot."""
    with ended(backend, connection):
        backend.begin_read(connection)
        return stop.run(function, Transaction(connection, backend))


def write(
    backend: Backend,
    connection: Connection,
    function: Callable[[Transaction], T],
    deadline: float,
    stop: Stop,
) -> T:
    """The result of a function, after its changes are committed.

    Args:
        backend: the database.
        connection: where to run it.
        function: what to run.
        deadline: until when to wait for other transactions (on the monotonic clock).
        stop: stops the function.
    """
    with ended(backend, connection):
        backend.begin_write(connection, max(0.0, deadline - time.monotonic()))
        result = stop.run(function, Transaction(connection, backend))
        connection.commit()
        return result


@contextmanager
def ended(backend: Backend, connection: Connection) -> Iterator[None]:
    """End the transaction of the block, and translate its errors."""
    with backend.errors():
        try:
            yield
        finally:
            _end(backend, connection)


def _end(backend: Backend, connection: Connection) -> None:
    try:
        backend.end(connection)
    except BaseException:
        # It is broken: it must not be used again.
        connection.close()
        raise
