"""Bringing a database to the present schema."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tintype.catalogue.engine import BUSY_SECONDS

HEAD = "0003"
"""The newest migration; a test holds it against the migrations folder."""


class SchemaTooNew(Exception):  # noqa: N818  nothing failed: the program is the older one
    """The catalogue was written by a newer tintype than this one."""


def revision(path: Path) -> str | None:
    """The migration a catalogue stands at; None if it is new or empty."""
    if not path.exists():
        return None
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
        if (
            connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
            is None
        ):
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def migrate(path: Path) -> tuple[str | None, str]:
    """Bring a catalogue to the newest schema; answers where it stood and where it stands.

    Two processes may do it at once: the second waits and finds the work done.

    Raises:
        SchemaTooNew: when a newer version wrote the catalogue.
    """
    before = revision(path)
    if before == HEAD:
        _drop_statistics(path)
        return before, HEAD
    # Imported here: most starts need no migration, and this import takes longer than all else of one.
    from tintype.catalogue import upgrade  # noqa: PLC0415

    if before is not None and before not in upgrade.known():
        raise SchemaTooNew(
            f"This catalogue is at schema {before}, which this version of tintype does not know."
        )
    upgrade.to_head(path)
    return before, HEAD


def _drop_statistics(path: Path) -> None:
    """Remove what an ANALYZE left.

    The queries are written for the plans that SQLite makes without statistics, which stay the same. With
    those of a small catalogue it would read all of the large one that has become of it.
    """
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE name GLOB 'sqlite_stat[0-9]'")
        for (name,) in found.fetchall():
            connection.execute(f"DROP TABLE {name}")
