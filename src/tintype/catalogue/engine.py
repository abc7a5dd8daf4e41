"""The database of the catalogue; all differences between databases are in this file.

Statements run on a thread pool of our own, not in SQLAlchemy's asyncio layer: that imports the whole ORM, and
switches threads for every step of a statement.
"""

import asyncio
import functools
import itertools
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult, Engine, Executable, Row, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from tintype.catalogue.wal_index import WalIndex
from tintype.model import Error, InsufficientStorage, Overloaded

T = TypeVar("T")

BUSY_SECONDS = 30
"""Default time to wait for another process's write transaction."""
READERS = 4
"""Default number of concurrent read transactions."""
BATCH = 1_000
"""Maximum number of values in one `IN (…)`; SQLite allows 32,766 parameters."""
INTERRUPT_SECONDS = 0.01
"""How often a running statement is interrupted again after its cancellation."""

_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_UNWRITABLE = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY})
_WRITE_FAILED = frozenset(
    {sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_SHMSIZE}
)
"""Extended result codes for a disk that can't be written to; SHMSIZE: the shared-memory file can't grow."""


class Rows:
    """The result of a statement, completely fetched: rows, or the key of the inserted row."""

    def __init__(self, result: CursorResult[Any]) -> None:
        self._rows = result.all() if result.returns_rows else ()
        self._result = result

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

    def key(self) -> int:
        """The integer primary key of the inserted row.

        Raises:
            TypeError: the statement did not insert one row.
        """
        key = self._result.inserted_primary_key
        if key is None:
            raise TypeError("the statement did not insert one row")
        return int(key[0])


class Transaction:
    """An open transaction. Statements must be executed one after the other."""

    def __init__(self, connection: Connection, run: Callable[[Callable[[], Rows]], Any] | None) -> None:
        self._connection = connection
        self._run = run

    async def execute(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Rows:
        """Execute a statement on a thread, and fetch its rows there.

        On cancellation it interrupts the statement, and waits until it has stopped.
        """
        work = functools.partial(_execute, self._connection, statement, parameters)
        return work() if self._run is None else await self._run(work)


class Database:
    """Read and write transactions on one catalogue.

    All methods raise `Error`: OVERLOADED if the database stays locked, INSUFFICIENT_STORAGE if the disk can't
    be written to. Other errors are SQLAlchemy's.

    Args:
        path: the SQLite file. It is never created if it is missing.
        readers: number of concurrent read transactions; more wait. There is one writer besides.
        lock_timeout: seconds that a write transaction waits for the others, of all processes.
    """

    def __init__(self, path: Path, readers: int = READERS, lock_timeout: float = BUSY_SECONDS) -> None:
        self._lock_timeout = lock_timeout
        self._engine = create_engine(
            "sqlite://",
            # Connections are pooled below; they move between threads, but are used by one at a time.
            poolclass=NullPool,
            creator=functools.partial(connect, path, lock_timeout, check_same_thread=False),
        )
        _configure_sqlite(self._engine)
        self._threads = ThreadPoolExecutor(readers + 1, "catalogue")
        self._idle: list[Connection] = []
        self._path = path
        self._wal_connection: sqlite3.Connection | None = None
        self._index: WalIndex | None = None
        self._read_slots = asyncio.Semaphore(readers)
        # Writers of this process wait here: inside SQLite each would block a thread that readers need.
        self._write_lock = asyncio.Lock()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        """A read-only transaction on one snapshot of the catalogue."""
        async with self._read_slots:
            connection = await self._acquire()
            try:
                yield Transaction(connection, functools.partial(self._run_interruptible, connection))
            finally:
                # Not on a thread: the end of a read only releases a lock in shared memory.
                self._release(connection)

    async def query(self, function: Callable[[Transaction], Coroutine[Any, Any, T]]) -> T:
        """The result of a function that runs in a read transaction, as a whole on one thread.

        Faster than `read`, which switches threads for every statement. The function may await nothing but its
        own statements.
        """
        async with self._read_slots:
            connection = await self._acquire()
            try:
                return await self._run_interruptible(
                    connection, functools.partial(_run_coroutine_inline, connection, function)
                )
            finally:
                self._release(connection)

    @asynccontextmanager
    async def write(self, lock_timeout: float | None = None) -> AsyncIterator[Transaction]:
        """A write transaction: committed at the end of the block, rolled back if it raises.

        Write transactions of all processes are serialised: what one has read stays true until it ends.

        Args:
            lock_timeout: seconds to wait for the lock; None: the default of the database.
        """
        deadline = time.monotonic() + (self._lock_timeout if lock_timeout is None else lock_timeout)
        async with self._write_turn(deadline):
            connection = await self._acquire()
            try:
                await self._run_on_thread(functools.partial(self._begin_write, connection, deadline))
                yield Transaction(connection, functools.partial(self._run_interruptible, connection))
                await self._run_on_thread(connection.commit)
            finally:
                await self._run_on_thread(functools.partial(self._release, connection))

    def state(self) -> bytes | None:
        """The version of the data: differs after any process has committed a change; None if unknown.

        It is read from shared memory in less than a microsecond, without blocking.
        """
        try:
            if self._index is None:
                self._index = self._open_index()
            return self._index.state()
        except (sqlite3.Error, OSError, ValueError):
            return None

    def polling_connection(self) -> "PollingConnection":
        """A separate connection for one thread that polls."""
        return PollingConnection(self._engine)

    async def close(self) -> None:
        """Close all connections. No transaction may be open."""
        if self._wal_connection is not None:
            self._wal_connection.close()
            self._wal_connection = None
        await asyncio.to_thread(self._close)
        if self._index is not None:
            # Last: see WalIndex.
            self._index.close()
            self._index = None

    def _open_index(self) -> WalIndex:
        if self._wal_connection is None:
            self._wal_connection = connect(self._path, 0, isolation_level=None)
        # The shared memory exists from this connection's first read until it is closed.
        self._wal_connection.execute("PRAGMA data_version").fetchone()
        return WalIndex(self._path)

    @asynccontextmanager
    async def _write_turn(self, deadline: float) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                await self._write_lock.acquire()
        except TimeoutError:
            raise _locked() from None
        try:
            yield
        finally:
            self._write_lock.release()

    def _begin_write(self, connection: Connection, deadline: float) -> None:
        remaining = max(0.0, deadline - time.monotonic())
        _set_busy_timeout(connection, remaining)
        try:
            _begin(connection, "BEGIN IMMEDIATE")
        finally:
            _set_busy_timeout(connection, self._lock_timeout)

    async def _acquire(self) -> Connection:
        # A new connection is added to the idle ones: on cancellation the next caller takes it.
        while not self._idle:
            await self._run_on_thread(lambda: self._idle.append(self._engine.connect()))
        return self._idle.pop()

    def _release(self, connection: Connection) -> None:
        try:
            connection.rollback()
            if _driver(connection).in_transaction:
                # After a failed commit SQLAlchemy assumes that the transaction has ended.
                _driver(connection).rollback()
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)

    def _close(self) -> None:
        self._threads.shutdown()
        while self._idle:
            self._idle.pop().close()

    async def _run_interruptible(self, connection: Connection, work: Callable[[], T]) -> T:
        """Run statements on a thread; interrupt them on cancellation."""
        return await self._run_on_thread(work, _driver(connection).interrupt)

    async def _run_on_thread(self, work: Callable[[], T], interrupt: Callable[[], None] = lambda: None) -> T:
        """Run work on a thread; on cancellation wait until the thread has finished.

        So a connection is never reused while a thread still works on it.
        """
        future = asyncio.get_running_loop().run_in_executor(self._threads, _translate_errors, work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            while not future.done():
                # Repeatedly: an interrupt has no effect on a statement that has not begun yet.
                interrupt()
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([future], timeout=INTERRUPT_SECONDS)
            raise


class PollingConnection:
    """A connection for one polling thread, independent of the pool that requests use."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def query(self, function: Callable[[Transaction], Coroutine[Any, Any, T]]) -> T:
        """The result of a function that runs in a read transaction, on this thread."""
        return self._run(lambda connection: _run_coroutine_inline(connection, function))

    def state(self) -> int:
        """The data version: differs after any other connection has committed a change."""
        pragma = "PRAGMA data_version"
        return int(self._run(lambda connection: _driver(connection).execute(pragma).fetchone()[0]))

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _run(self, work: Callable[[Connection], T]) -> T:
        if self._connection is None:
            self._connection = self._engine.connect()
        try:
            return work(self._connection)
        except BaseException:
            # The connection itself may be broken.
            self.close()
            raise
        finally:
            if self._connection is not None:
                self._connection.rollback()


def connect(path: Path, lock_timeout: float = BUSY_SECONDS, **options: Any) -> sqlite3.Connection:  # noqa: ANN401  the driver's
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


def batches(values: Iterable[T]) -> Iterator[list[T]]:
    """Distinct values, in batches that fit into one statement."""
    remaining = iter(dict.fromkeys(values))
    while batch := list(itertools.islice(remaining, BATCH)):
        yield batch


def _run_coroutine_inline(
    connection: Connection, function: Callable[[Transaction], Coroutine[Any, Any, T]]
) -> T:
    """Run the coroutine to its end on this thread; its awaits never suspend.

    Raises:
        RuntimeError: it awaits something other than its own statements.
    """
    coroutine = function(Transaction(connection, None))
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]  # what the coroutine returned
    coroutine.close()
    raise RuntimeError("a query may await nothing but its own statements")


def _execute(connection: Connection, statement: Executable, parameters: Mapping[str, Any] | None) -> Rows:
    if not connection.in_transaction():
        _begin(connection, "BEGIN")
    return Rows(connection.execute(statement, parameters))


def _translate_errors(work: Callable[[], T]) -> T:
    """Run work on the database; translate its errors into `Error`."""
    try:
        return work()
    except OperationalError as failed:
        error = _error(failed)
        if error is None:
            raise
        raise error from failed


def _error(failed: OperationalError) -> Error | None:
    # The low byte is SQLite's primary result code.
    code = getattr(failed.orig, "sqlite_errorcode", 0)
    if code & 0xFF in _LOCKED:
        return _locked()
    if code & 0xFF in _UNWRITABLE or code in _WRITE_FAILED:
        return InsufficientStorage(str(failed.orig))
    return None


def _locked() -> Error:
    return Overloaded("The catalogue is in use by another program; try again later.", retry_after=5)


def _set_busy_timeout(connection: Connection, seconds: float) -> None:
    _driver(connection).execute(f"PRAGMA busy_timeout={int(seconds * 1000)}")


def _begin(connection: Connection, how: str) -> None:
    connection.begin()
    connection.exec_driver_sql(how)


def _driver(connection: Connection) -> Any:  # noqa: ANN401  a driver's own connection
    return connection.connection.driver_connection


def _configure_sqlite(engine: Engine) -> None:
    """WAL, durable commits, foreign keys, and explicit BEGIN."""

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:  # noqa: ANN401  a driver's own connection
        # None: the driver doesn't begin transactions by itself.
        connection.isolation_level = None
        cursor = connection.cursor()
        # FULL: in WAL mode the default syncs only at checkpoints, and a power cut could undo
        # transactions that were acknowledged to clients.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
