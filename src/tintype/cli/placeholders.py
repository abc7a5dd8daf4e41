"""`tintype placeholders`: make the placeholders that older images lack."""

from pathlib import Path

import rich_click as click
from rich.console import Console
from rich.progress import Progress

from tintype.cli.library import data_option, plain_errors, with_services
from tintype.core import Services
from tintype.core.upkeep.backfill_placeholders import BackfillResult, backfill_placeholders, count_steps


@click.command()
@data_option
@plain_errors
def placeholders(data: Path) -> None:
    """Make missing placeholders, of images that were recorded by older versions of tintype.

    New uploads get their ThumbHash and colour automatically. Safe while the service runs; after an
    interruption run the same command again.
    """

    async def work(services: Services) -> BackfillResult:
        with Progress(transient=True, console=Console(stderr=True)) as progress:
            task = progress.add_task("Placeholders", total=await count_steps(services))
            return await backfill_placeholders(services, on_step=lambda: progress.advance(task))

    result = with_services(data, work)
    click.echo(f"Made {result.made} placeholders.")
    if result.unreadable:
        click.echo(f"{result.unreadable} originals can't be read; `tintype check --deep` names them.")
        raise SystemExit(1)
