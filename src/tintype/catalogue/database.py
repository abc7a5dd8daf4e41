"""Read and write transactions, each a plain function that runs on one thread of a pool.

Threads of our own, not SQLAlchemy's asyncio layer: that imports the whole ORM, and switches threads for every
step of a statement.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from tintype.catalogue import session
from tintype.catalogue.backends import Backend
from tintype.catalogue.backends.sqlite import SqliteBackend
from tintype.catalogue.backends.sqlite_file import LOCK_TIMEOUT
from tintype.catalogue.errors import locked
from tintype.catalogue.polling import PollingConnection
from tintype.catalogue.transaction import Transaction

P = ParamSpec("P")
T = TypeVar("T")

READERS = 4
"""Default number of concurrent read transactions."""
INTERRUPT_SECONDS = 0.01
"""How often a running statement is interrupted again after its cancellation."""


class Database:
    """Read and write transactions on one catalogue.

    A transaction is a function that is given a `Transaction` and the arguments. It runs as a whole on one
    thread, and can await nothing. When the caller is cancelled, the statement is interrupted, and the caller
    waits until the thread has stopped; nothing is committed then, unless the commit had begun.

    All methods raise Overloaded when the database stays locked, InsufficientStorage when the disk can't be
    written to, and CatalogueError for other errors of the database.

    Args:
        path: the SQLite file. It is never created if it is missing.
        readers: number of concurrent read transactions; more wait. There is one writer besides.
        lock_timeout: seconds that a write transaction waits for the others, of all processes.
    """

    def __init__(self, path: Path, readers: int = READERS, lock_timeout: float = LOCK_TIMEOUT) -> None:
        self._backend: Backend = SqliteBackend(path, lock_timeout)
        self._lock_timeout = lock_timeout
        self._threads = ThreadPoolExecutor(readers + 1, "catalogue")
        self._idle: list[Connection] = []
        self._read_slots = asyncio.Semaphore(readers)
        # Writers of this process wait here: inside SQLite each would block a thread that readers need.
        self._write_lock = asyncio.Lock()

    async def read(
        self, function: Callable[Concatenate[Transaction, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The result of a function that reads one snapshot of the catalogue."""
        async with self._read_slots:
            return await self._run(
                lambda connection, stop: session.read(
                    self._backend, connection, lambda tx: function(tx, *args, **kwargs), stop
                )
            )

    async def write(
        self, function: Callable[Concatenate[Transaction, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The result of a function whose changes are committed when it returns, rolled back when it raises.

        Write transactions of all processes are serialised: what one has read stays true until it ends.
        """
        return await self._write(lambda tx: function(tx, *args, **kwargs), self._lock_timeout)

    async def require_writable(self, lock_timeout: float) -> None:
        """Require that a write transaction can begin within so many seconds."""
        await self._write(lambda _: None, lock_timeout)

    def state(self) -> Hashable | None:
        """The version of the data: differs after any process has committed a change; None if unknown.

        It is read from shared memory in less than a microsecond, without blocking.
        """
        return self._backend.state()

    def polling_connection(self) -> PollingConnection:
        """A separate connection for one thread that polls."""
        return PollingConnection(self._backend)

    async def close(self) -> None:
        """Close all connections. No transaction may be open."""
        await asyncio.to_thread(self._close)

    async def _write(self, function: Callable[[Transaction], T], lock_timeout: float) -> T:
        deadline = time.monotonic() + lock_timeout
        async with self._write_turn(deadline):
            return await self._run(
                lambda connection, stop: session.write(self._backend, connection, function, deadline, stop)
            )

    @asynccontextmanager
    async def _write_turn(self, deadline: float) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                await self._write_lock.acquire()
        except TimeoutError:
            raise locked() from None
        try:
            yield
        finally:
            self._write_lock.release()

    async def _run(self, work: Callable[[Connection, session.Stop], T]) -> T:
        """Run a transaction on a thread, on a connection that no other uses."""
        connection = await self._acquire()
        stop = session.Stop(lambda: self._backend.interrupt(connection))
        try:
            return await self._on_thread(lambda: work(connection, stop), stop.request)
        finally:
            if not connection.closed:
                self._idle.append(connection)

    async def _acquire(self) -> Connection:
        # A new connection is added to the idle ones: on cancellation the next caller takes it.
        while not self._idle:
            await self._on_thread(lambda: self._idle.append(session.connect(self._backend)))
        return self._idle.pop()

    async def _on_thread(self, work: Callable[[], T], stop: Callable[[], None] = lambda: None) -> T:
        """Run work on a thread; on cancellation stop it, and wait until the thread has finished.

        So a connection is never reused while a thread still works on it.
        """
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            while not future.done():
                # Repeatedly: an interrupt has no effect on a statement that has not begun yet.
                stop()
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([future], timeout=INTERRUPT_SECONDS)
            # Nobody waits for its error any more, and asyncio would log one that nobody asked for.
            future.exception()
            raise

    def _close(self) -> None:
        self._threads.shutdown()
        while self._idle:
            self._idle.pop().close()
        self._backend.close()
