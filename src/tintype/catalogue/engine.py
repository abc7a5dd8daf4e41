"""The database behind the catalogue; every difference between databases is in this file.

Statements run on threads of our own, not through SQLAlchemy's asyncio layer: that imports the whole ORM, and
makes a hop between threads of every step of a statement.
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
from tintype.model import Error, Kind, insufficient_storage

T = TypeVar("T")

BUSY_SECONDS = 30
"""How long a command waits for another process's write transaction before it gives up."""
READERS = 4
"""Read transactions at the same time, unless a setting says otherwise."""
BATCH = 1_000
"""Values that one statement asks for at most; SQLite takes 32,766 parameters."""
INTERRUPT_SECONDS = 0.01
"""How often a cancelled statement that still runs is told to stop."""

_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_UNWRITABLE = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY})
_WRITE_FAILED = frozenset(
    {sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_SHMSIZE}
)
"""What SQLite calls a disk that takes nothing, other than by ENOSPC; the file of shared memory has no other
name for that either."""


class Rows:
    """What a statement answered, fetched whole: rows, or the key of the row it added."""

    def __init__(self, result: CursorResult[Any]) -> None:
        self._rows = result.all() if result.returns_rows else ()
        self._result = result

    def __iter__(self) -> Iterator[Row[Any]]:
        return iter(self._rows)

    def first(self) -> Row[Any] | None:
        """The first row; None if there is none."""
        return self._rows[0] if self._rows else None

    def scalar_one(self) -> Any:  # noqa: ANN401  a column's value
        """The one value of the one row."""
        ((value,),) = self._rows
        return value

    def scalar_one_or_none(self) -> Any:  # noqa: ANN401  a column's value
        """The one value of the one row; None if there is no row."""
        return self.scalar_one() if self._rows else None

    def key(self) -> int:
        """The integer key that the database gave to an inserted row."""
        key = self._result.inserted_primary_key
        if key is None:
            raise TypeError("the statement was no insert of one row")
        return int(key[0])


class Transaction:
    """A transaction under way. One statement at a time: the next begins when the one before has answered."""

    def __init__(self, connection: Connection, run: Callable[[Callable[[], Rows]], Any] | None) -> None:
        self._connection = connection
        self._run = run

    async def execute(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Rows:
        """Run a statement on a thread, and fetch its rows there.

        Who is cancelled meanwhile waits until the statement has stopped.
        """
        work = functools.partial(_execute, self._connection, statement, parameters)
        return work() if self._run is None else await self._run(work)


class Database:
    """Read and write transactions on one catalogue.

    What keeps one from being carried out is an `Error`: OVERLOADED when it is locked, INSUFFICIENT_STORAGE
    when the disk takes nothing. Anything else comes as SQLAlchemy raises it.

    Args:
        path: the SQLite file. When it is missing, now or later, none is made in its place.
        readers: read transactions at the same time; more wait. Beside them one writes.
        lock_timeout: seconds that a write transaction waits for its turn, for those of other processes too.
    """

    def __init__(self, path: Path, readers: int = READERS, lock_timeout: float = BUSY_SECONDS) -> None:
        self._lock_timeout = lock_timeout
        self._engine = create_engine(
            "sqlite://",
            # Ours are kept below, and go from thread to thread, never used by two at once.
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
        # Our own writers queue here: waiting inside SQLite, each would keep a thread from the readers.
        self._write_lock = asyncio.Lock()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        """A transaction that sees one state of the catalogue and changes nothing."""
        async with self._read_slots:
            connection = await self._acquire()
            try:
                yield Transaction(connection, functools.partial(self._run_interruptible, connection))
            finally:
                # Here and not on a thread: the end of a read only lets a lock in shared memory go.
                self._release(connection)

    async def ask(self, query: Callable[[Transaction], Coroutine[Any, Any, T]]) -> T:
        """The answer to a question: a read transaction that is carried out on a thread as a whole.

        Faster than `read` by several hops between threads, for what waits for nothing but its own statements.
        """
        async with self._read_slots:
            connection = await self._acquire()
            try:
                return await self._run_interruptible(
                    connection, functools.partial(_run_coroutine_inline, connection, query)
                )
            finally:
                self._release(connection)

    @asynccontextmanager
    async def write(self, lock_timeout: float | None = None) -> AsyncIterator[Transaction]:
        """A transaction that commits when the block ends, or leaves no trace when it raises.

        Write transactions follow one another, across processes too: what one has checked stays true
        until it ends.

        Args:
            lock_timeout: seconds to wait for its turn; None: the default of the database.
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
        """What is other once any process has committed a change; None if it can't be told.

        It comes out of memory that the processes share: nothing to wait for, and less than a microsecond.
        """
        try:
            if self._index is None:
                self._index = self._open_index()
            return self._index.state()
        except (sqlite3.Error, OSError, ValueError):
            return None

    def watch(self) -> "Watch":
        """A connection apart from those of the transactions, for one thread that asks again and again."""
        return Watch(self._engine)

    async def close(self) -> None:
        """Give all connections back, once no transaction is under way."""
        if self._wal_connection is not None:
            self._wal_connection.close()
            self._wal_connection = None
        await asyncio.to_thread(self._close)
        if self._index is not None:
            # Last: see there.
            self._index.close()
            self._index = None

    def _open_index(self) -> WalIndex:
        if self._wal_connection is None:
            self._wal_connection = connect(self._path, 0, isolation_level=None)
        # The memory is there once this connection has read anything, and as long as it is open.
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
        left = max(0.0, deadline - time.monotonic())
        _set_busy_timeout(connection, left)
        try:
            _begin(connection, "BEGIN IMMEDIATE")
        finally:
            _set_busy_timeout(connection, self._lock_timeout)

    async def _acquire(self) -> Connection:
        # Opened into the idle ones: who is cancelled meanwhile leaves it to the next.
        while not self._idle:
            await self._run_on_thread(lambda: self._idle.append(self._engine.connect()))
        return self._idle.pop()

    def _release(self, connection: Connection) -> None:
        try:
            connection.rollback()
            if _driver(connection).in_transaction:
                # After a commit that failed SQLAlchemy takes it for over.
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
        """Run statements on a thread, and stop them when we are cancelled."""
        return await self._run_on_thread(work, _driver(connection).interrupt)

    async def _run_on_thread(self, work: Callable[[], T], interrupt: Callable[[], None] = lambda: None) -> T:
        """Run work on a thread; whoever is cancelled meanwhile waits until the thread is done with it.

        A connection is never given to the next while a thread still works on it.
        """
        future = asyncio.get_running_loop().run_in_executor(self._threads, _translate_errors, work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            while not future.done():
                # Again and again: what has not begun yet would not hear it.
                interrupt()
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([future], timeout=INTERRUPT_SECONDS)
            raise


class Watch:
    """A connection for one thread, which waits for none of those that requests use."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def ask(self, query: Callable[[Transaction], Coroutine[Any, Any, T]]) -> T:
        """The answer to a question, on this thread."""
        return self._run(lambda connection: _run_coroutine_inline(connection, query))

    def state(self) -> int:
        """A number that is another one once any other connection has committed a change."""
        pragma = "PRAGMA data_version"
        return int(self._run(lambda connection: _driver(connection).execute(pragma).fetchone()[0]))

    def close(self) -> None:
        """Give the connection back; the next question opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _run(self, work: Callable[[Connection], T]) -> T:
        if self._connection is None:
            self._connection = self._engine.connect()
        try:
            return work(self._connection)
        except BaseException:
            # Whatever is wrong may be so with this connection only.
            self.close()
            raise
        finally:
            if self._connection is not None:
                self._connection.rollback()


def connect(path: Path, lock_timeout: float = BUSY_SECONDS, **options: Any) -> sqlite3.Connection:  # noqa: ANN401  the driver's
    """A connection to an SQLite file, whatever characters its path has; a missing one is not made.

    Args:
        path: the file.
        lock_timeout: seconds to wait for locks of others.
        options: more of `sqlite3.connect`.

    Raises:
        sqlite3.Error: when there is no such file, among others.
    """
    address = f"{path.absolute().as_uri()}?mode=rw"
    connection: sqlite3.Connection = sqlite3.connect(address, uri=True, timeout=lock_timeout, **options)
    return connection


def batches(values: Iterable[T]) -> Iterator[list[T]]:
    """Values without those that come twice, as many at a time as a statement takes."""
    left = iter(dict.fromkeys(values))
    while batch := list(itertools.islice(left, BATCH)):
        yield batch


def _run_coroutine_inline(
    connection: Connection, query: Callable[[Transaction], Coroutine[Any, Any, T]]
) -> T:
    """Carry a question out on this thread, where every statement has answered when it returns."""
    coroutine = query(Transaction(connection, None))
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]  # what the coroutine returned
    coroutine.close()
    raise RuntimeError("a question may wait for nothing but its own statements")


def _execute(connection: Connection, statement: Executable, parameters: Mapping[str, Any] | None) -> Rows:
    if not connection.in_transaction():
        _begin(connection, "BEGIN")
    return Rows(connection.execute(statement, parameters))


def _translate_errors(work: Callable[[], T]) -> T:
    """Do work on the database, and say in our words why it could not be done."""
    try:
        return work()
    except OperationalError as failed:
        error = _error(failed)
        if error is None:
            raise
        raise error from failed


def _error(failed: OperationalError) -> Error | None:
    # The low byte is what SQLite calls the primary code.
    code = getattr(failed.orig, "sqlite_errorcode", 0)
    if code & 0xFF in _LOCKED:
        return _locked()
    if code & 0xFF in _UNWRITABLE or code in _WRITE_FAILED:
        return insufficient_storage(str(failed.orig))
    return None


def _locked() -> Error:
    return Error(
        Kind.OVERLOADED, "The catalogue is in use by another program; try again later.", retry_after=5
    )


def _set_busy_timeout(connection: Connection, seconds: float) -> None:
    _driver(connection).execute(f"PRAGMA busy_timeout={int(seconds * 1000)}")


def _begin(connection: Connection, how: str) -> None:
    connection.begin()
    connection.exec_driver_sql(how)


def _driver(connection: Connection) -> Any:  # noqa: ANN401  a driver's own connection
    return connection.connection.driver_connection


def _configure_sqlite(engine: Engine) -> None:
    """WAL, durable commits, foreign keys, and transactions that begin where we say they do."""

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:  # noqa: ANN401  a driver's own connection
        # The driver would begin transactions late and by its own rules; None leaves that to us.
        connection.isolation_level = None
        cursor = connection.cursor()
        # FULL: in WAL mode the default syncs only at checkpoints, and a power cut could take back
        # what a client was told is kept.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
