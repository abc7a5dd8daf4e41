"""`tintype gc`: what was left over is set aside, and deleted a week later."""

import asyncio
from pathlib import Path

import rich_click as click

from tintype.cli.library import data_option, open_library, plain_errors, run_with_services, with_services
from tintype.core import Services
from tintype.core.upkeep.check_and_gc import Collected, Plan, collect_garbage, plan, restore_removed


@click.command()
@data_option
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option(
    "--yes-remove",
    type=click.IntRange(0),
    metavar="N",
    help="Set aside N originals, also if that is more than a tenth of them or they are older than the "
    "catalogue; N is exactly how many are unused.",
)
@click.option("--restore", is_flag=True, help="Put back what was set aside and images need; remove nothing.")
@plain_errors
def gc(data: Path, *, dry_run: bool, yes_remove: int | None, restore: bool) -> None:
    """Remove what a crash left over.

    That is: originals without an image, renditions of deleted images, old temporary files. The originals go
    to the folder `removed` and are deleted by the first `tintype gc` after a week ([gc] keep_days).
    Safe beside a running service.
    """
    if restore:
        _restore(data)
        return
    settings = open_library(data)

    async def work(services: Services) -> Plan | Collected:
        planned = await plan(services, settings.gc)
        return planned if dry_run else await collect_garbage(services, planned, yes_remove)

    done = asyncio.run(run_with_services(settings, work))
    click.echo(_foretell(done) if isinstance(done, Plan) else _tell(done))


def _foretell(planned: Plan) -> str:
    doubt = f"\n{planned.doubt} It would be refused." if planned.doubt else ""
    return (
        f"Would set aside {len(planned.unused)} originals, delete {len(planned.expired)} that were set aside "
        f"before, remove renditions of {len(planned.rendition_folders)} images and "
        f"{len(planned.temporary_files)} temporary files.{doubt}"
    )


def _tell(swept: Collected) -> str:
    saved = f" Put back {swept.put_back} originals that images need." if swept.put_back else ""
    return (
        f"Set aside {swept.set_aside} originals, deleted {swept.deleted} that were set aside before, removed "
        f"renditions of {swept.rendition_folders} images and {swept.temporary_files} temporary files.{saved}"
    )


def _restore(data: Path) -> None:
    done = with_services(data, restore_removed)
    click.echo(f"Put back {done[True]} originals.")
    if done[False]:
        raise click.ClickException(f"{done[False]} more that images need are damaged; they stay.")
