"""`tintype init`: a new library, empty."""

from pathlib import Path

import rich_click as click

from tintype.app import CATALOGUE
from tintype.catalogue import schema
from tintype.cli.library import data_option, make_library, plain_errors, settings_of


@click.command()
@data_option
@plain_errors
def init(data: Path) -> None:
    """Make an empty library: its folder, its catalogue, a key that signs links.

    `tintype serve` and `tintype import` do it by themselves where there is none; every other command
    needs a library that is there. One that is there already is left as it is.
    """
    was_there = schema.revision(settings_of(data).data / CATALOGUE) is not None
    folder = make_library(data).data
    click.echo(f"There is a library in {folder} already." if was_there else f"Made a library in {folder}.")
