"""The schema version of a catalogue, and its migration to the newest."""

from pathlib import Path

from tintype.catalogue.backends.sqlite_file import drop_statistics, opened, table_names

HEAD = "0004"
"""The newest migration; a test compares it with the migrations folder."""


class SchemaTooNew(Exception):
    """The catalogue was written by a newer version of tintype."""


class SchemaTooOld(Exception):
    """The catalogue was written by an older version of tintype, and has not been migrated."""


class ForeignDatabase(Exception):
    """The database is another program's."""


def revision(path: Path) -> str | None:
    """The revision of a catalogue's schema; None if the file is missing or empty.

    Raises:
        ForeignDatabase: when it has tables, and they are not a catalogue's.
    """
    if not path.exists():
        return None
    names = table_names(path)
    if not names:
        return None
    if "alembic_version" not in names:
        raise ForeignDatabase(f"{path} is the database of another program.")
    with opened(path) as connection:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def require_known(current: str) -> None:
    """Check that this version can migrate from a revision.

    Raises:
        SchemaTooNew: when the revision is unknown to this version.
    """
    # Imported here: most starts need no migration, and this import takes longer than the rest of a start.
    from tintype.catalogue import upgrade  # noqa: PLC0415

    if current not in upgrade.known_revisions():
        raise SchemaTooNew(
            f"This catalogue is at schema {current}, which this version of tintype does not know."
        )


def require_head(current: str) -> None:
    """Check that a revision is the newest.

    Raises:
        SchemaTooOld: when it is older; the message names the command that migrates.
        SchemaTooNew: when it was written by a newer version.
    """
    if current == HEAD:
        return
    require_known(current)
    raise SchemaTooOld(
        f"This library is at schema {current} and this version of tintype needs {HEAD}: "
        "`tintype migrate` brings it there."
    )


def migrate(path: Path, backup: Path | None = None) -> tuple[str | None, str]:
    """Migrate a catalogue to the newest schema; returns the revisions before and after.

    Two processes may do it at once: the second waits and finds nothing to do.

    Args:
        path: the catalogue; created if it is missing.
        backup: path of a copy that is made before a migration; None: no copy.

    Raises:
        SchemaTooNew: when the catalogue was written by a newer version.
    """
    before = revision(path)
    if before == HEAD:
        drop_statistics(path)
        return before, HEAD
    if before is not None:
        require_known(before)
    from tintype.catalogue import upgrade  # noqa: PLC0415  as above

    upgrade.to_head(path, backup)
    return before, HEAD
