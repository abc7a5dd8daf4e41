"""`tintype restore`: make a library from a backup."""

from pathlib import Path

import rich_click as click

from tintype.catalogue import schema
from tintype.cli.backup_files import library_files, progress_bar, refuse_nested
from tintype.cli.library import data_option, plain_errors
from tintype.core.upkeep.restore import choose_snapshot, restore
from tintype.storage.backups import Backup


@click.command("restore")
@data_option
@click.argument("source", type=click.Path(path_type=Path, file_okay=False))
@click.option("--snapshot", metavar="NAME", help="The snapshot to restore. [default: the newest]")
@click.option("--allow-missing", is_flag=True, help="Restore the rest if originals are missing or damaged.")
@plain_errors
def restore_library(data: Path, source: Path, snapshot: str | None, *, allow_missing: bool) -> None:
    """Make a library in DATA, a new or empty folder, from the backup in SOURCE.

    Every file is verified by its SHA-256 while it is copied. If originals are missing from the backup, it is
    refused, and they are listed. After an interruption run the same command again.
    """
    folder, backup = data.resolve(), Backup(source.resolve())
    refuse_nested(folder, backup.root)
    name, manifest = choose_snapshot(backup, snapshot)
    schema.require_known(manifest.schema)
    with progress_bar("Restoring") as (on_start, on_step):
        tally = restore(
            backup,
            name,
            folder,
            library_files,
            allow_missing=allow_missing,
            on_start=on_start,
            on_step=on_step,
        )
    lost = len(tally.missing) + len(tally.damaged)
    click.echo(
        f"Restored {manifest.images} images and {manifest.originals - lost} of {manifest.originals} "
        f"originals of {manifest.made_at:%Y-%m-%d %H:%M} UTC. "
        f"Serve them with `tintype serve --data {folder}`."
    )
