"""`tintype gc`: what was left over is removed."""

from pathlib import Path

import rich_click as click

from tintype.cli.library import data_option, plain_errors, with_house
from tintype.core import House
from tintype.core.sweep import Swept, sweep


@click.command()
@data_option
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@plain_errors
def gc(data: Path, *, dry_run: bool) -> None:
    """Remove what a crash left over.

    That is: originals without an image, renditions of deleted images, old temporary files.
    Safe beside a running service.
    """

    async def work(house: House) -> Swept:
        return await sweep(house, dry_run=dry_run)

    swept = with_house(data, work)
    verb = "Would remove" if dry_run else "Removed"
    click.echo(
        f"{verb} {swept.originals} originals, renditions of {swept.rendition_folders} images, "
        f"{swept.temporary_files} temporary files."
    )
