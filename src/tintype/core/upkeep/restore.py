"""Restores a library from a backup into a new or empty folder."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from tintype.catalogue.snapshot import contents, is_catalogue
from tintype.core.upkeep.backup import (
    CopyResult,
    Files,
    OnStart,
    OnStep,
    Outcome,
    for_each_original,
    is_whole,
)
from tintype.model import Conflict
from tintype.storage import Blobs, SizeLimitExceeded, Staged, durable
from tintype.storage.backups import Backup, InvalidBackup, Manifest
from tintype.storage.copying import CHUNK, copy_verified

UNFINISHED = "restore-unfinished"
"""A marker file in the folder until the restore is complete."""
MAX_LISTED = 10
"""How many missing originals are listed by name."""


def choose_snapshot(backup: Backup, name: str | None) -> tuple[str, Manifest]:
    """The snapshot to restore, by default the newest, and its manifest.

    Raises:
        InvalidBackup: when there is none, or it is damaged.
    """
    names = backup.snapshots()
    if not names:
        raise InvalidBackup(f"There is no backup in {backup.root}.")
    if name is not None and name not in names:
        raise InvalidBackup(f"{backup.root} has no snapshot {name}; the newest is {names[-1]}.")
    snapshot = name or names[-1]
    return snapshot, backup.manifest(snapshot)


def restore(
    backup: Backup,
    name: str,
    folder: Path,
    files_in: Callable[[Path], Files],
    *,
    allow_missing: bool = False,
    on_start: OnStart = lambda _: None,
    on_step: OnStep = lambda _: None,
) -> CopyResult:
    """Restore a library from a snapshot. An interrupted restore continues when run again.

    The catalogue is written last: without it no command accepts the folder as a library.

    Args:
        backup: the backup.
        name: the snapshot.
        folder: the new library.
        files_in: the files of a library in a folder; called once the folder exists.
        allow_missing: restore the rest when originals are missing or damaged.
        on_start: called with the bytes of all originals.
        on_step: called with the bytes of each finished one.

    Raises:
        InvalidBackup: when the snapshot is incomplete; before anything is written, unless only reading whole
            originals shows it.
        Conflict: when the folder is not empty.
    """
    manifest = backup.manifest(name)
    _begin(folder)
    catalogue = _catalogue(backup, name, manifest)
    if not allow_missing:
        _require_complete(for_each_original(catalogue, _finder(backup), lambda _: None))
    durable.make_folder(folder)
    durable.write_private(folder / UNFINISHED, b"")
    files = files_in(folder)
    files.staging.abandoned.remove(0)
    on_start(contents(catalogue).bytes)
    tally = for_each_original(catalogue, _copier(backup, files), on_step)
    if not allow_missing:
        _require_complete(tally)
    _finish(backup.snapshot(name), manifest, files)
    (folder / UNFINISHED).unlink()
    durable.sync_folder(folder)
    return tally


def _begin(folder: Path) -> None:
    if durable.is_empty(folder):
        return
    # An interrupted restore: there is no catalogue yet, so nothing can have been changed.
    if not (folder / UNFINISHED).exists() or any(is_catalogue(path.name) for path in folder.iterdir()):
        raise Conflict(f"{folder} is not empty; a backup is restored into a new folder.")


def _catalogue(backup: Backup, name: str, manifest: Manifest) -> Path:
    catalogues = [file for file in manifest.files if is_catalogue(file)]
    if len(catalogues) != 1 or "/" in catalogues[0]:
        raise InvalidBackup(f"The snapshot {name} has no catalogue.")
    return backup.snapshot(name) / catalogues[0]


def _finder(backup: Backup) -> Callable[[str, int], Outcome]:
    def find(sha256: str, size: int) -> Outcome:
        is_there = is_whole(backup.originals, sha256, size)
        return Outcome.PRESENT if is_there else Outcome.MISSING

    return find


def _copier(backup: Backup, files: Files) -> Callable[[str, int], Outcome]:
    def copy(sha256: str, size: int) -> Outcome:
        if is_whole(files.originals, sha256, size):
            return Outcome.PRESENT
        try:
            with backup.originals.open(sha256) as source, files.staging.stage(size) as staged:
                return _put(files.originals, staged, source, sha256)
        except FileNotFoundError:
            return Outcome.MISSING
        except SizeLimitExceeded:
            return Outcome.DAMAGED

    return copy


def _put(originals: Blobs, staged: Staged, source: BinaryIO, sha256: str) -> Outcome:
    while chunk := source.read(CHUNK):
        staged.write(chunk)
    if staged.sha256 != sha256:
        return Outcome.DAMAGED
    staged.seal()
    originals.put(staged)
    return Outcome.COPIED


def _require_complete(tally: CopyResult) -> None:
    lost = [*tally.missing, *tally.damaged]
    if lost:
        named = ", ".join(lost[:MAX_LISTED]) + (", …" if len(lost) > MAX_LISTED else "")
        raise InvalidBackup(
            f"Of the backup {len(tally.missing)} originals are missing and {len(tally.damaged)} damaged: "
            f"{named}. --allow-missing restores the rest."
        )


def _finish(snapshot: Path, manifest: Manifest, files: Files) -> None:
    for path in files.private:
        if path.name in manifest.files:
            durable.write_private(path, (snapshot / path.name).read_bytes())
    catalogue = files.catalogue
    temporary = catalogue.with_name(f"{catalogue.name}.new")
    with (snapshot / catalogue.name).open("rb") as source:
        copy_verified(source, temporary, catalogue, manifest.files[catalogue.name])
    durable.sync_folder(catalogue.parent)
