"""`tintype gc`: set unused files aside, and delete them a week later."""

import asyncio
from pathlib import Path

import rich_click as click

from tintype.cli.library import data_option, open_library, plain_errors, run_with_services, with_services
from tintype.core import Services
from tintype.core.upkeep.collect_garbage import GcPlan, GcResult, collect_garbage, plan_gc, restore_removed


@click.command()
@data_option
@click.option("--dry-run", is_flag=True, help="Only print what would be removed.")
@click.option(
    "--yes-remove",
    type=click.IntRange(0),
    metavar="N",
    help="Set aside N originals even if that is more than a tenth of all, or if they are older than the "
    "catalogue. N must be the exact number of unused ones.",
)
@click.option(
    "--restore",
    is_flag=True,
    help="Put back set-aside originals that images need; remove nothing.",
)
@plain_errors
def gc(data: Path, *, dry_run: bool, yes_remove: int | None, restore: bool) -> None:
    """Remove unused files, such as those left by a crash.

    These are originals without an image, renditions of deleted images, and old temporary files. Originals
    are moved to the folder `removed`, and the first `tintype gc` after a week ([gc] keep_days) deletes them.
    Safe while the service runs.
    """
    if restore:
        _restore(data)
        return
    settings = open_library(data)

    async def work(services: Services) -> GcPlan | GcResult:
        planned = await plan_gc(services, settings.gc)
        return planned if dry_run else await collect_garbage(services, planned, yes_remove)

    done = asyncio.run(run_with_services(settings, work))
    click.echo(_describe_plan(done) if isinstance(done, GcPlan) else _describe_result(done))


def _describe_plan(planned: GcPlan) -> str:
    doubt = f"\n{planned.doubt} It would be refused." if planned.doubt else ""
    return (
        f"Would set aside {len(planned.unused)} originals, delete {len(planned.expired)} that were set aside "
        f"before, remove renditions of {len(planned.rendition_folders)} images and "
        f"{planned.temporary_files} temporary files.{doubt}"
    )


def _describe_result(collected: GcResult) -> str:
    restored = f" Put back {collected.put_back} originals that images need." if collected.put_back else ""
    return (
        f"Set aside {collected.set_aside} originals, deleted {collected.deleted} that were set aside before, "
        f"removed renditions of {collected.rendition_folders} images and "
        f"{collected.temporary_files} temporary files.{restored}"
    )


def _restore(data: Path) -> None:
    done = with_services(data, restore_removed)
    click.echo(f"Put back {done[True]} originals.")
    if done[False]:
        raise click.ClickException(f"{done[False]} more that images need are damaged; they stay.")
