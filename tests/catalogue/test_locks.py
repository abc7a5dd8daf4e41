"""Where no constraint can say what has to hold, transactions lock: SQLite's by being the only one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import ClauseElement, Connection, Dialect, event
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Engine

from tests.catalogue.conftest import NOON
from tintype.catalogue import Transaction, images, leases, session
from tintype.catalogue.backends.sqlite import SqliteBackend

SHA256 = "a" * 64
POSTGRESQL: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy types it not


class Steps(SqliteBackend):
    """Notes each lock and each statement, as PostgreSQL would execute it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.steps: list[str] = []

    def lock(self, connection: Connection, name: str) -> None:
        super().lock(connection, name)
        self.steps.append(f"lock {name}")

    def note(self, _connection: object, statement: ClauseElement, *_: object) -> None:
        self.steps.append(str(statement.compile(dialect=POSTGRESQL)))


@contextmanager
def noted(path: Path) -> Iterator[tuple[Steps, Connection]]:
    backend = Steps(path)
    event.listen(Engine, "before_execute", backend.note)
    try:
        with session.connect(backend) as connection:
            yield backend, connection
    finally:
        event.remove(Engine, "before_execute", backend.note)
        backend.close()


def steps(path: Path, work: Callable[[Transaction], Any]) -> list[str]:
    with noted(path) as (backend, connection):
        session.read(backend, connection, work, session.Stop())
    return backend.steps


@pytest.mark.parametrize("begin", [leases.begin_put, leases.begin_delete])
def test_who_stores_or_deletes_an_original_locks_it_before_looking(
    path: Path, begin: Callable[[Transaction, str, Any], UUID | None]
) -> None:
    first, *others = steps(path, lambda tx: begin(tx, SHA256, NOON))
    assert first == f"lock {SHA256}"
    assert any(step.startswith("INSERT INTO leases") for step in others)


def test_an_image_that_will_be_changed_is_locked(path: Path) -> None:
    (reading,) = steps(path, lambda tx: images.get(tx, UUID(int=1), UUID(int=2)))
    (changing,) = steps(path, lambda tx: images.get(tx, UUID(int=1), UUID(int=2), for_update=True))
    assert "FOR UPDATE" not in reading
    assert changing.endswith("FOR UPDATE OF images")


def test_leases_are_looked_for_before_images(path: Path) -> None:
    """A lease ends when the image is recorded: if images came first, neither could be found."""
    lease, image = steps(path, lambda tx: leases.is_in_use(tx, SHA256, NOON))
    assert "FROM leases" in lease
    assert "FROM images" in image
