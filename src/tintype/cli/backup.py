"""`tintype backup`: copy the library, also while it is served."""

from datetime import UTC, datetime
from pathlib import Path

import rich_click as click

from tintype.app import LINK_KEYS
from tintype.cli.backup_files import library_files, progress_bar, refuse_nested
from tintype.cli.library import data_option, open_library, plain_errors
from tintype.core.upkeep.backup import BackupResult, back_up, prune
from tintype.storage.backups import Backup


@click.command()
@data_option
@click.argument("target", type=click.Path(path_type=Path, file_okay=False))
@click.option("--deep", is_flag=True, help="Also read all originals in TARGET and replace damaged ones.")
@click.option(
    "--prune",
    "is_pruned",
    is_flag=True,
    help="Then remove older snapshots and originals only they need.",
)
@click.option(
    "--keep",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="How many snapshots to keep with --prune.",
)
@plain_errors
def backup(data: Path, target: Path, *, deep: bool, is_pruned: bool, keep: int) -> None:
    """Copy the library into the folder TARGET, or update the backup that is there.

    A snapshot has the catalogue, the keys that sign links, and the settings; all snapshots share the
    originals. Safe while the service runs: every record in the copy has its original. If it is interrupted,
    earlier snapshots stay complete. `tintype restore` makes a library from it.
    """
    folder, destination = open_library(data).data, Backup(target.resolve())
    refuse_nested(folder, destination.root)
    with progress_bar("Backing up") as (on_start, on_step):
        result = back_up(
            library_files(folder),
            destination,
            datetime.now(UTC),
            deep=deep,
            on_start=on_start,
            on_step=on_step,
        )
    click.echo(_summary(result))
    # Before pruning, because an earlier snapshot may have what this one lacks.
    _require_complete(result)
    if is_pruned:
        snapshots, originals = prune(destination, keep)
        click.echo(f"Removed {snapshots} snapshots and {originals} originals that no other needs.")


def _summary(result: BackupResult) -> str:
    manifest = result.manifest
    return (
        f"Snapshot {result.name}: {manifest.images} images, {manifest.originals} originals, "
        f"{manifest.bytes} bytes; copied {result.tally.copied} originals, {result.tally.copied_bytes} bytes."
    )


def _require_complete(result: BackupResult) -> None:
    if LINK_KEYS not in result.manifest.files:
        raise click.ClickException(f"The library has lost its {LINK_KEYS}; the backup has none either.")
    if result.manifest.missing:
        raise click.ClickException(
            f"{len(result.tally.missing)} originals are missing in the library and "
            f"{len(result.tally.damaged)} damaged, and so are not in the backup; "
            "`tintype check --deep` names their images."
        )
