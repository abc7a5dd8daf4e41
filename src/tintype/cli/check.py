"""`tintype check`: every record has its bytes, every original its record."""

from pathlib import Path

import rich_click as click
from rich.console import Console
from rich.progress import Progress

from tintype.cli.library import data_option, plain_errors, with_house
from tintype.core import House
from tintype.core.sweep import Fault, Finding, size
from tintype.core.sweep import check as find

_SAYS = {
    Fault.BYTES_MISSING: "image {image}: its original {sha256} is missing; restore it from a backup",
    Fault.BYTES_DAMAGED: "image {image}: its original {sha256} is damaged; restore it from a backup",
    Fault.OBJECT_UNUSED: "original {sha256}: no image refers to it; `tintype gc` removes it",
}


@click.command()
@data_option
@click.option("--deep", is_flag=True, help="Also read every original and compare its SHA-256.")
@plain_errors
def check(data: Path, *, deep: bool) -> None:
    """Verify that every image has its bytes, and every original an image.

    A line for each fault; the exit status is 1 when there is one.
    """

    async def work(house: House) -> list[Finding]:
        with Progress(transient=True, console=Console(stderr=True)) as progress:
            task = progress.add_task("Checking", total=await size(house))
            return [found async for found in find(house, deep=deep, on_step=lambda: progress.advance(task))]

    findings = with_house(data, work)
    for found in findings:
        click.echo(_SAYS[found.fault].format(image=found.image, sha256=found.sha256))
    if findings:
        raise SystemExit(1)
    click.echo("Every image has its bytes, and every original an image.")
