"""`tintype migrate`: update the catalogue to the current schema."""

from contextlib import suppress
from pathlib import Path

import rich_click as click

from tintype.catalogue.schema import SchemaTooOld
from tintype.cli.library import (
    backup_option,
    data_option,
    load_settings,
    migrate_library,
    open_library,
    plain_errors,
)


@click.command()
@data_option
@backup_option
@plain_errors
def migrate(data: Path, *, no_backup: bool) -> None:
    """Update the catalogue to the current schema.

    `tintype serve` does this too; use `migrate` to choose the time. Before anything is changed, the catalogue
    is copied to a file beside it.
    """
    with suppress(SchemaTooOld):
        open_library(data)
    before, after = migrate_library(load_settings(data).data, backup=not no_backup)
    click.echo(f"Schema {after}: nothing to do." if before == after else f"Schema {before} -> {after}.")
