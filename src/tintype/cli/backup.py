"""`tintype backup`: a copy of the library, made while it is served."""

from datetime import UTC, datetime
from pathlib import Path

import rich_click as click

from tintype.app import LINK_KEYS
from tintype.cli.copying import files_in, refuse_nested, shown
from tintype.cli.library import data_option, open_library, plain_errors
from tintype.core.upkeep.backup import BackupResult, back_up, prune
from tintype.storage.backups import Backup


@click.command()
@data_option
@click.argument("target", type=click.Path(path_type=Path, file_okay=False))
@click.option("--deep", is_flag=True, help="Also read every original in TARGET and replace damaged ones.")
@click.option(
    "--prune", "is_pruned", is_flag=True, help="Then remove older snapshots and what only they need."
)
@click.option(
    "--keep",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="How many snapshots stay with --prune.",
)
@plain_errors
def backup(data: Path, target: Path, *, deep: bool, is_pruned: bool, keep: int) -> None:
    """Copy the library into the folder TARGET, or add to the backup that is there what it lacks.

    A snapshot has the catalogue, the keys that sign links and the settings; originals are shared by all
    snapshots. Safe beside a running service: every record of the copy has its bytes. Broken off, it leaves
    the snapshots before as they were. `tintype restore` makes a library of it.
    """
    folder, to = open_library(data).data, Backup(target.resolve())
    refuse_nested(folder, to.root)
    with shown("Backing up") as (on_start, on_step):
        made = back_up(files_in(folder), to, datetime.now(UTC), deep=deep, on_start=on_start, on_step=on_step)
    click.echo(_tell(made))
    # Before anything is pruned: a snapshot before may have what this one lacks.
    _refuse_holes(made)
    if is_pruned:
        snapshots, originals = prune(to, keep)
        click.echo(f"Removed {snapshots} snapshots and {originals} originals that no other needs.")


def _tell(made: BackupResult) -> str:
    found = made.manifest
    return (
        f"Snapshot {made.name}: {found.images} images, {found.originals} originals, {found.bytes} bytes; "
        f"copied {made.tally.copied} originals, {made.tally.copied_bytes} bytes."
    )


def _refuse_holes(made: BackupResult) -> None:
    if LINK_KEYS not in made.manifest.files:
        raise click.ClickException(f"The library has lost its {LINK_KEYS}; the backup has none either.")
    if made.manifest.missing:
        raise click.ClickException(
            f"{len(made.tally.missing)} originals are missing in the library and {len(made.tally.damaged)} "
            "damaged, and so are not in the backup; `tintype check --deep` names their images."
        )
