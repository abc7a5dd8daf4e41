"""`tintype check`: verify that every image has its original and every original an image."""

from pathlib import Path

import rich_click as click
from msgspec import structs
from rich.console import Console
from rich.progress import Progress

from tintype.cli.library import data_option, plain_errors, with_services
from tintype.core import Services
from tintype.core.upkeep.check import Fault, Finding, Leftovers, count_steps, leftovers
from tintype.core.upkeep.check import check as find

_MESSAGES = {
    Fault.BYTES_MISSING: "image {image}: its original {sha256} is missing; restore it from a backup",
    Fault.BYTES_DAMAGED: "image {image}: its original {sha256} is damaged; restore it from a backup",
    Fault.BYTES_UNREADABLE: "image {image}: its original {sha256} can't be decoded to its end, "
    "though it is as it was uploaded; replace it",
    Fault.BYTES_SET_ASIDE: "image {image}: its original {sha256} was set aside; "
    "`tintype gc --restore` puts it back",
    Fault.USAGE_WRONG: "account {account}: what it holds is counted wrong; `tintype gc` counts it anew",
    Fault.OBJECT_UNUSED: "original {sha256}: no image refers to it; `tintype gc` sets it aside",
}


@click.command()
@data_option
@click.option("--deep", is_flag=True, help="Also read all originals, compare their SHA-256, and decode them.")
@plain_errors
def check(data: Path, *, deep: bool) -> None:
    """Verify that every image has its original, and every original an image.

    Prints a line for each fault; the exit status is then 1. Originals set aside by `tintype gc` and temporary
    files of interrupted uploads are reported too, but are not faults.
    """

    async def work(services: Services) -> tuple[list[Finding], Leftovers]:
        with Progress(transient=True, console=Console(stderr=True)) as progress:
            task = progress.add_task("Checking", total=await count_steps(services))
            faults = [
                each async for each in find(services, deep=deep, on_step=lambda: progress.advance(task))
            ]
        return faults, await leftovers(services)

    findings, left = with_services(data, work)
    for finding in findings:
        click.echo(_MESSAGES[finding.fault].format(**structs.asdict(finding)))
    _report_leftovers(left)
    if findings:
        raise SystemExit(1)
    click.echo("Every image has its bytes, and every original an image.")


def _report_leftovers(left: Leftovers) -> None:
    if left.removed:
        since = f", the first {left.since:%Y-%m-%d %H:%M} UTC" if left.since else ""
        click.echo(f"removed/: {left.removed} originals, {left.removed_bytes} bytes, were set aside{since}")
    if left.temporary_files:
        click.echo(f"{left.temporary_files} temporary files are older than a day; `tintype gc` removes them")
