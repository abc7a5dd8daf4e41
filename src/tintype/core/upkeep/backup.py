"""Backups of a library in use: every record in a backup has its bytes."""

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TypeVar

from msgspec import Struct

from tintype import __version__
from tintype.catalogue.snapshot import Contents, contents, is_catalogue, library_id, originals, snapshot
from tintype.model import Conflict
from tintype.storage import Blobs, Staging, durable
from tintype.storage.backups import Backup, Manifest
from tintype.storage.blobs import digest
from tintype.storage.copying import DigestMismatch
from tintype.storage.digest import digest_of
from tintype.storage.local import BlobFolder

T = TypeVar("T")

THREADS = 4
"""Files copied concurrently: while one is synced, others are read."""
BATCH = 64
"""Files given to the threads at once, so that the list of a large library is never all in memory."""
TRIES = 3
"""Attempts to find an original that is moved to or from the folder of removed ones meanwhile."""

OnStart = Callable[[int], None]
OnStep = Callable[[int], None]
"""Called with the total of bytes, and then with the bytes of each finished original."""


class Files(Struct, frozen=True):
    """The files of a library that belong into a backup, and where uploads are staged.

    `private` are small files that may be missing.
    """

    catalogue: Path
    originals: Blobs
    staging: Staging
    private: tuple[Path, ...]


class Outcome(StrEnum):
    """The outcome of copying an original."""

    PRESENT = "present"
    COPIED = "copied"
    MISSING = "missing"
    DAMAGED = "damaged"


class CopyResult(Struct):
    """The outcomes of all originals: counts, bytes, and the digests of those that could not be copied."""

    present: int = 0
    copied: int = 0
    copied_bytes: int = 0
    missing: list[str] = []
    damaged: list[str] = []

    def add(self, sha256: str, size: int, outcome: Outcome) -> None:
        """Count one."""
        if outcome is Outcome.PRESENT:
            self.present += 1
        elif outcome is Outcome.COPIED:
            self.copied += 1
            self.copied_bytes += size
        else:
            (self.missing if outcome is Outcome.MISSING else self.damaged).append(sha256)


class BackupResult(Struct, frozen=True):
    """A new snapshot: its name, its manifest, and what was copied for it."""

    name: str
    manifest: Manifest
    tally: CopyResult


def back_up(
    files: Files,
    backup: Backup,
    now: datetime,
    *,
    deep: bool = False,
    on_start: OnStart = lambda _: None,
    on_step: OnStep = lambda _: None,
) -> BackupResult:
    """Add a snapshot of a library to a backup: its catalogue, missing originals, keys and settings.

    Safe beside a running service: originals are not deleted permanently until the copy is made, so everything
    that the copied catalogue names can be copied. If it is interrupted, earlier snapshots are unaffected.

    Args:
        files: the library.
        backup: the backup.
        now: the time.
        deep: also read every original in the backup, and copy damaged ones again.
        on_start: called with the bytes of all originals.
        on_step: called with the bytes of each finished one.

    Raises:
        Conflict: when another backup or garbage collection of the library runs.
        InvalidBackup: when the folder is no backup of this library, or is being written to.
        OSError: when the disk is full, or fails.
    """
    with _exclusive(files.originals), backup.writing(library_id(files.catalogue)):
        folder = backup.new_snapshot()
        catalogue = folder / files.catalogue.name
        snapshot(files.catalogue, catalogue)
        summary = contents(catalogue)
        on_start(summary.bytes)
        tally = _copy_originals(files.originals, backup, catalogue, on_step, deep=deep)
        backup.sync()
        _copy_private(files.private, folder)
        manifest = _manifest(folder, summary, now, tally)
        return BackupResult(backup.publish(folder, manifest), manifest, tally)


def prune(backup: Backup, keep: int) -> tuple[int, int]:
    """Remove all but the newest snapshots, and every original that these don't need.

    Args:
        backup: the backup.
        keep: how many snapshots stay, 1 or more.

    Returns:
        How many snapshots and how many originals were removed.
    """
    about = backup.about()
    if about is None:
        return 0, 0
    with backup.writing(about.library):
        names = backup.snapshots()
        for name in names[:-keep]:
            backup.forget(name)
        needed = {
            sha256
            for name in backup.snapshots()
            for file in backup.snapshot(name).iterdir()
            if is_catalogue(file.name)
            for sha256, _ in originals(file)
        }
        unused = [sha256 for sha256 in backup.originals.list() if sha256 not in needed]
        for sha256 in unused:
            backup.remove(sha256)
        backup.sync()
    return max(0, len(names) - keep), len(unused)


def for_each_original(catalogue: Path, work: Callable[[str, int], Outcome], on_step: OnStep) -> CopyResult:
    """Run work for every original that a catalogue names, a few concurrently."""
    tally = CopyResult()
    threads = ThreadPoolExecutor(THREADS, "copy")
    try:
        for batch in _batches(originals(catalogue)):
            outcomes = threads.map(work, *zip(*batch, strict=True))
            for (sha256, size), outcome in zip(batch, outcomes, strict=True):
                tally.add(sha256, size, outcome)
                on_step(size)
    finally:
        threads.shutdown(cancel_futures=True)
    return tally


def is_whole(store: Blobs | BlobFolder, sha256: str, size: int, *, deep: bool = False) -> bool:
    """Whether a store has an original of this size and, if asked to read it, this digest."""
    stat = store.stat(sha256)
    return stat is not None and stat.size == size and (not deep or digest(store, sha256) == sha256)


@contextmanager
def _exclusive(originals: Blobs) -> Iterator[None]:
    with originals.trash.postpone_deletes() as is_ours:
        if not is_ours:
            raise Conflict("Another backup of this library is running, or `tintype gc`.")
        yield


def _copy_originals(
    source: Blobs, backup: Backup, catalogue: Path, on_step: OnStep, *, deep: bool
) -> CopyResult:
    def copy(sha256: str, size: int) -> Outcome:
        if is_whole(backup.originals, sha256, size, deep=deep):
            return Outcome.PRESENT
        return _copy_original(source, backup, sha256)

    return for_each_original(catalogue, copy, on_step)


def _copy_original(originals: Blobs, backup: Backup, sha256: str) -> Outcome:
    try:
        with _open_original(originals, sha256) as source:
            backup.keep(source, sha256)
    except FileNotFoundError:
        return Outcome.MISSING
    except DigestMismatch:
        return Outcome.DAMAGED
    return Outcome.COPIED


def _open_original(originals: Blobs, sha256: str) -> BinaryIO:
    """Open an original, or the removed one."""
    for _ in range(TRIES):
        for store in (originals, originals.trash):
            with suppress(FileNotFoundError):
                return store.open(sha256)
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), sha256)


def _copy_private(paths: Iterable[Path], folder: Path) -> None:
    for path in paths:
        if path.is_file():
            durable.write_private(folder / path.name, path.read_bytes())


def _manifest(folder: Path, summary: Contents, now: datetime, tally: CopyResult) -> Manifest:
    return Manifest(
        made_at=now,
        tintype=__version__,
        library=summary.library,
        schema=summary.schema,
        images=summary.images,
        originals=summary.originals,
        bytes=summary.bytes,
        files={path.name: digest_of(path) for path in sorted(folder.iterdir())},
        missing=(*tally.missing, *tally.damaged),
    )


def _batches(items: Iterator[T]) -> Iterator[list[T]]:
    while batch := list(islice(items, BATCH)):
        yield batch
