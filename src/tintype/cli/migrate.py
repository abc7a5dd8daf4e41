"""`tintype migrate`: the catalogue brought to the present schema."""

from contextlib import suppress
from pathlib import Path

import rich_click as click

from tintype.catalogue.schema import SchemaTooOld
from tintype.cli.library import (
    backup_option,
    data_option,
    migrate_library,
    open_library,
    plain_errors,
    settings_of,
)


@click.command()
@data_option
@backup_option
@plain_errors
def migrate(data: Path, *, no_backup: bool) -> None:
    """Bring the catalogue to the present schema.

    `tintype serve` does it by itself; this is for doing it at a time of your choosing. Before anything is
    changed a copy of the catalogue is put beside it.
    """
    with suppress(SchemaTooOld):
        open_library(data)
    before, after = migrate_library(settings_of(data).data, backup=not no_backup)
    click.echo(f"Schema {after}: nothing to do." if before == after else f"Schema {before} -> {after}.")
