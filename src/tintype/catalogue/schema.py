"""Bringing a database to the present schema."""

from contextlib import closing
from pathlib import Path

from tintype.catalogue.engine import connect

HEAD = "0003"
"""The newest migration; a test holds it against the migrations folder."""


class SchemaTooNew(Exception):  # noqa: N818  nothing failed: the program is the older one
    """The catalogue was written by a newer tintype than this one."""


class SchemaTooOld(Exception):  # noqa: N818  nothing failed: the catalogue is the older one
    """The catalogue was written by an older tintype, and has not been migrated."""


def revision(path: Path) -> str | None:
    """The migration a catalogue stands at; None if there is none, or no tintype made it."""
    if not path.exists():
        return None
    with closing(connect(path)) as connection:
        query = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
        if connection.execute(query).fetchone() is None:
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def require_known(stands: str) -> None:
    """Refuse a schema that this version can't start from.

    Raises:
        SchemaTooNew: when it can't.
    """
    # Imported here: most starts need no migration, and this import takes longer than all else of one.
    from tintype.catalogue import upgrade  # noqa: PLC0415

    if stands not in upgrade.known_revisions():
        raise SchemaTooNew(
            f"This catalogue is at schema {stands}, which this version of tintype does not know."
        )


def require_head(stands: str) -> None:
    """Refuse a catalogue that does not stand at the newest schema.

    Raises:
        SchemaTooOld: with the command that migrates.
        SchemaTooNew: when a newer version wrote it.
    """
    if stands == HEAD:
        return
    require_known(stands)
    raise SchemaTooOld(
        f"This library is at schema {stands} and this version of tintype needs {HEAD}: "
        "`tintype migrate` brings it there."
    )


def migrate(path: Path, backup: Path | None = None) -> tuple[str | None, str]:
    """Bring a catalogue to the newest schema; answers where it stood and where it stands.

    Two processes may do it at once: the second waits and finds the work done.

    Args:
        path: the catalogue; made if it is missing.
        backup: where to put a copy of it before anything is changed; only if something is.

    Raises:
        SchemaTooNew: when a newer version wrote the catalogue.
    """
    before = revision(path)
    if before == HEAD:
        _drop_statistics(path)
        return before, HEAD
    if before is not None:
        require_known(before)
    from tintype.catalogue import upgrade  # noqa: PLC0415  as above

    upgrade.to_head(path, backup)
    return before, HEAD


def _drop_statistics(path: Path) -> None:
    """Remove what an ANALYZE left.

    The queries are written for the plans that SQLite makes without statistics, which stay the same. With
    those of a small catalogue it would read all of the large one that has become of it.
    """
    with closing(connect(path)) as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE name GLOB 'sqlite_stat[0-9]'")
        for (name,) in found.fetchall():
            connection.execute(f"DROP TABLE {name}")
