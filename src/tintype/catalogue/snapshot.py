"""A copy of a catalogue as it is at one moment, also while a service writes to it, and what is in it."""

import os
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from uuid import UUID

from msgspec import Struct

from tintype.catalogue.engine import connect


def snapshot(catalogue: Path, to: Path) -> None:
    """Copy a catalogue into one file, readable by its owner only; on return it survives a power cut.

    SQLite's online backup: what is committed when it begins is in the copy, what comes later is not, and
    nobody waits. The file appears whole or not at all.

    Raises:
        sqlite3.Error: when the catalogue can't be read or the copy not be written.
        OSError: the same.
    """
    temporary = to.with_name(f"{to.name}.new")
    temporary.unlink(missing_ok=True)
    try:
        _copy(catalogue, temporary)
        sync(temporary)
        temporary.replace(to)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync(to.parent)


class Contents(Struct, frozen=True):
    """Of which library a catalogue is, its schema, and what it counts; `bytes` are those of its originals."""

    library: UUID
    schema: str
    images: int
    originals: int
    bytes: int


def contents(catalogue: Path) -> Contents:
    """What is in a catalogue.

    Raises:
        sqlite3.Error: when it can't be read.
    """
    with closing(connect(catalogue)) as connection:
        (library,) = connection.execute("SELECT id FROM library").fetchone()
        (schema,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        (images,) = connection.execute("SELECT count(*) FROM images").fetchone()
        count, size = connection.execute(
            "SELECT count(*), coalesce(sum(bytes), 0) FROM (SELECT bytes FROM images GROUP BY sha256)"
        ).fetchone()
    return Contents(UUID(library), schema, images, count, size)


def originals(catalogue: Path) -> Iterator[tuple[str, int]]:
    """Digest and size of every original that a catalogue names, each once, sorted by digest."""
    with closing(connect(catalogue)) as connection:
        yield from connection.execute("SELECT sha256, bytes FROM images GROUP BY sha256 ORDER BY sha256")


def make_private(path: Path) -> None:
    """Make a file that only its owner can read, unless it is there. SQLite's files beside it follow it."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def sync(path: Path) -> None:
    """Make a file, or the entries of a folder, durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copy(catalogue: Path, to: Path) -> None:
    make_private(to)
    with closing(connect(catalogue)) as source, closing(connect(to)) as target:
        source.backup(target)
        # The copy is one file, without a log beside it: it can be read where nothing can be written.
        target.execute("PRAGMA journal_mode=DELETE")
