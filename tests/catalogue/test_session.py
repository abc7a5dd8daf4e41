"""A transaction that is to stop: its function is interrupted, never its COMMIT or ROLLBACK."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import Engine

from tintype.catalogue import Transaction, session
from tintype.catalogue.backends.sqlite import SqliteBackend

WRITE = text("UPDATE accounts SET name = name")


@pytest.fixture
def backend(path: Path) -> Iterator[SqliteBackend]:
    opened = SqliteBackend(path)
    yield opened
    opened.close()


@pytest.fixture
def connection(backend: SqliteBackend) -> Iterator[Connection]:
    with session.connect(backend) as opened:
        yield opened


def test_the_function_is_interrupted_and_what_begins_and_ends_it_is_not(
    backend: SqliteBackend, connection: Connection
) -> None:
    interrupted: list[str] = []
    at = "before"
    stop = session.Stop(lambda: interrupted.append(at))
    stop.request()

    def work(tx: Transaction) -> None:
        nonlocal at
        at = "function"
        tx.execute(WRITE)
        stop.request()
        at = "end"

    def ending(_connection: Connection) -> None:
        stop.request()

    for name in ("commit", "rollback"):
        event.listen(Engine, name, ending)
    try:
        with suppress(session.StoppedError):
            session.write(backend, connection, work, deadline=time.monotonic() + 5, stop=stop)
    finally:
        for name in ("commit", "rollback"):
            event.remove(Engine, name, ending)
    assert interrupted == ["function"]


def test_what_was_to_stop_is_not_committed(backend: SqliteBackend, connection: Connection) -> None:
    stop = session.Stop(lambda: None)
    added = text("INSERT INTO accounts (id, name, number, created_at) VALUES ('1', 'a', 1, 0)")

    def work(tx: Transaction) -> None:
        tx.execute(added)
        # No statement is under way that could be interrupted.
        stop.request()

    with pytest.raises(session.StoppedError):
        session.write(backend, connection, work, deadline=time.monotonic() + 5, stop=stop)
    count = text("SELECT count(*) FROM accounts")
    assert session.read(backend, connection, lambda tx: tx.execute(count).scalar_one(), session.Stop()) == 0
