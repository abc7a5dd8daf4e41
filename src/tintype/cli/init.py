"""`tintype init`: create an empty library."""

from pathlib import Path

import rich_click as click

from tintype.catalogue import CATALOGUE, schema
from tintype.cli.library import data_option, load_settings, make_library, plain_errors


@click.command()
@data_option
@plain_errors
def init(data: Path) -> None:
    """Create an empty library: its folder, its catalogue, and a key that signs links.

    `tintype serve`, `tintype demo` and `tintype import` do the same if there is no library; all other
    commands need an existing one. An existing library is not changed.
    """
    existed = schema.revision(load_settings(data).data / CATALOGUE) is not None
    folder = make_library(data).data
    click.echo(f"There is a library in {folder} already." if existed else f"Made a library in {folder}.")
