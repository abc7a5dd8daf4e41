"""Consistent copies of a catalogue, also while a service writes to it, and what they contain."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from msgspec import Struct

from tintype.catalogue.backends.sqlite_file import SUFFIX, copy, opened


def snapshot(catalogue: Path, to: Path) -> None:
    """Copy a catalogue into one file, atomically and durably, with mode 0600.

    The copy contains what was committed before it began, and blocks no writer.

    Raises:
        CatalogueError: when the catalogue can't be read, or the copy can't be written.
        OSError: when the copy can't be written.
    """
    temporary = to.with_name(f"{to.name}.new")
    temporary.unlink(missing_ok=True)
    try:
        make_private(temporary)
        copy(catalogue, temporary)
        sync(temporary)
        temporary.replace(to)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync(to.parent)


class Contents(Struct, frozen=True):
    """The library of a catalogue, its schema, and its totals; `bytes` counts each original once."""

    library: UUID
    schema: str
    images: int
    originals: int
    bytes: int


def library_id(catalogue: Path) -> UUID:
    """The library of a catalogue.

    Raises:
        CatalogueError: when it can't be read.
    """
    with opened(catalogue) as connection:
        (library,) = connection.execute("SELECT id FROM library").fetchone()
    return UUID(library)


def contents(catalogue: Path) -> Contents:
    """Library, schema and totals of a catalogue, which takes seconds when it is large.

    Raises:
        CatalogueError: when it can't be read.
    """
    with opened(catalogue) as connection:
        (schema,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        (images,) = connection.execute("SELECT count(*) FROM images").fetchone()
        count, size = connection.execute(
            "SELECT count(*), coalesce(sum(bytes), 0) FROM (SELECT bytes FROM images GROUP BY sha256)"
        ).fetchone()
    return Contents(library_id(catalogue), schema, images, count, size)


def originals(catalogue: Path) -> Iterator[tuple[str, int]]:
    """Digest and size of every original that a catalogue refers to, each once, sorted by digest."""
    with opened(catalogue) as connection:
        yield from connection.execute("SELECT sha256, bytes FROM images GROUP BY sha256 ORDER BY sha256")


def is_catalogue(name: str) -> bool:
    """Whether a file of this name, in a library or a backup, is a catalogue."""
    return name.endswith(SUFFIX)


def make_private(path: Path) -> None:
    """Create a file with mode 0600, if it is missing; SQLite gives those beside it the same mode."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def sync(path: Path) -> None:
    """Fsync a file or a folder."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
