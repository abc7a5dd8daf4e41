"""Runs the migrations; imported only when there is one to run."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from tintype.catalogue.backends.sqlite_file import upgrading
from tintype.catalogue.snapshot import make_private, snapshot


def known_revisions() -> set[str]:
    """All revisions that this version can migrate from."""
    return {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def to_head(path: Path, backup: Path | None = None) -> None:
    """Run all pending migrations in one transaction.

    Args:
        path: the catalogue; created with mode 0600 if it is missing.
        backup: path of a copy made first if migrations are pending; a new catalogue is not copied.
    """
    make_private(path)
    with upgrading(path) as connection:
        config = _config()
        if backup is not None and _is_older(connection, config):
            # Inside the transaction: nothing can change between the copy and the migrations.
            snapshot(path, backup)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _is_older(connection: Connection, config: Config) -> bool:
    current = MigrationContext.configure(connection).get_current_revision()
    return current not in {None, ScriptDirectory.from_config(config).get_current_head()}


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "tintype.catalogue:migrations")
    config.set_main_option("path_separator", "os")
    return config
