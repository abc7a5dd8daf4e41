"""Runs the migrations; imported only when there is one to run."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import StaticPool

from tintype.catalogue.backends.sqlite import LOCK_TIMEOUT, connect
from tintype.catalogue.snapshot import make_private, snapshot

RETRY_SECONDS = 0.01


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
    with closing(connect(path)) as raw:
        raw.isolation_level = None
        _turn_on_wal(raw)
        engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool)
        # IMMEDIATE: a second process that migrates at the same time waits here.
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        with engine.begin() as connection:
            config = _config()
            if backup is not None and _is_older(connection, config):
                # Inside the write transaction: nothing can change between the copy and the migrations.
                snapshot(path, backup)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _is_older(connection: Connection, config: Config) -> bool:
    current = MigrationContext.configure(connection).get_current_revision()
    return current not in {None, ScriptDirectory.from_config(config).get_current_head()}


def _turn_on_wal(raw: sqlite3.Connection) -> None:
    # busy_timeout has no effect on a change of the journal mode, so we retry.
    deadline = time.monotonic() + LOCK_TIMEOUT
    while True:
        try:
            raw.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(RETRY_SECONDS)
        else:
            return


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "tintype.catalogue:migrations")
    config.set_main_option("path_separator", "os")
    return config
