"""`tintype migrate`: the catalogue brought to the present schema."""

from pathlib import Path

import rich_click as click

from tintype.app import CATALOGUE
from tintype.catalogue import schema
from tintype.cli.library import data_option, plain_errors
from tintype.dialects import discover
from tintype.settings import load
from tintype.storage import durable


@click.command()
@data_option
@plain_errors
def migrate(data: Path) -> None:
    """Bring the catalogue to the present schema.

    `tintype serve` does it by itself; this is for doing it at a time of your choosing, after a backup.
    """
    settings = load(data, discover())
    durable.make_folder(settings.data)
    before, after = schema.migrate(settings.data / CATALOGUE)
    click.echo(
        f"Schema {after}: nothing to do." if before == after else f"Schema {before or 'none'} -> {after}."
    )
