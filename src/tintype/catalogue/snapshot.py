"""A copy of a catalogue as it is at one moment, also while a service writes to it."""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from tintype.catalogue.engine import BUSY_SECONDS


def snapshot(catalogue: Path, to: Path) -> None:
    """Copy a catalogue into one file, readable by its owner only; on return it survives a power cut.

    SQLite's online backup: what is committed when it begins is in the copy, what comes later is not, and
    nobody waits. The file appears whole or not at all.

    Raises:
        sqlite3.Error: when the catalogue can't be read or the copy not be written.
        OSError: the same.
    """
    draft = to.with_name(f"{to.name}.new")
    draft.unlink(missing_ok=True)
    try:
        _copy(catalogue, draft)
        sync(draft)
        draft.replace(to)
    except BaseException:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
    sync(to.parent)


def connect(catalogue: Path) -> sqlite3.Connection:
    """A connection to a catalogue that is there: where there is none, none is made.

    Raises:
        sqlite3.Error: when there is none.
    """
    address = f"{catalogue.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)


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
