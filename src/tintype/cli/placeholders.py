"""`tintype placeholders`: images of older versions get what the newer ones have."""

from pathlib import Path

import rich_click as click
from rich.console import Console
from rich.progress import Progress

from tintype.cli.library import data_option, plain_errors, with_services
from tintype.core import Services
from tintype.core.upkeep.backfill_placeholders import Backfilled, backfill_placeholders, size


@click.command()
@data_option
@plain_errors
def placeholders(data: Path) -> None:
    """Make the placeholders that images of older versions lack.

    Every upload gets its ThumbHash and colour by itself. Safe beside a running service; broken off and run
    again, it goes on.
    """

    async def work(services: Services) -> Backfilled:
        with Progress(transient=True, console=Console(stderr=True)) as progress:
            task = progress.add_task("Placeholders", total=await size(services))
            return await backfill_placeholders(services, on_step=lambda: progress.advance(task))

    placeheld = with_services(data, work)
    click.echo(f"Made {placeheld.made} placeholders.")
    if placeheld.unreadable:
        click.echo(f"{placeheld.unreadable} originals can't be read; `tintype check --deep` names them.")
        raise SystemExit(1)
