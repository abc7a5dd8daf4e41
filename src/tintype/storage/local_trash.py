"""The trash of a local folder of blobs: files that were set aside, in a folder for each time."""

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from tintype.storage import durable
from tintype.storage.blobs import RemovedBlob
from tintype.storage.digest import is_digest

STAMP = "%Y%m%dT%H%M%SZ"
"""Name of a folder: the time, in UTC, at which its files were set aside."""
LOCK_TIMEOUT_SECONDS = 2.0
"""How long a backup waits for single deletes, which take milliseconds each."""
RETRY_SECONDS = 0.005
DELETED = "deleted"
"""The folder of files that were deleted while a backup ran: it is emptied when the backup has ended."""


class LocalTrash:
    """Files that were set aside, such as `20261126T193512Z/<sha256>`; implements `Trash`.

    While a backup holds the exclusive lock on the folder, deleted files are moved to `deleted/`, so that the
    backup still finds every original its snapshot refers to. All methods block on the disk.

    Args:
        root: the folder; created if it is missing.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        durable.make_folder(root / DELETED)

    def open(self, key: str) -> BinaryIO:
        """See `Trash`."""
        for folder in self._folders():
            with suppress(FileNotFoundError):
                return (folder / key).open("rb")
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), key)

    def each(self) -> Iterator[RemovedBlob]:
        """See `Trash`."""
        for folder in self._folders():
            for path in _blobs(folder):
                with suppress(FileNotFoundError):
                    yield RemovedBlob(path.name, _stamp(folder), path.stat().st_size)

    def delete(self, removed: RemovedBlob) -> None:
        """See `Trash`. The folder goes too if it is then empty."""
        self._delete(self.path(removed))

    @contextmanager
    def allow_deletes(self) -> Iterator[bool]:
        """See `Trash`."""
        with self._locked(fcntl.LOCK_SH) as acquired:
            yield acquired

    @contextmanager
    def postpone_deletes(self) -> Iterator[bool]:
        """See `Trash`. It waits for single deletes."""
        with self._locked(fcntl.LOCK_EX, LOCK_TIMEOUT_SECONDS) as acquired:
            try:
                yield acquired
            finally:
                if acquired:
                    for path in _blobs(self._root / DELETED):
                        self._delete(path)

    def path(self, removed: RemovedBlob) -> Path:
        """The path of one of `each`; only for the local stores themselves."""
        at = removed.removed_at
        return self._root / (DELETED if at is None else f"{at:{STAMP}}") / removed.key

    def set_aside(self, file: Path, now: datetime) -> None:
        """Move a file here, where it is kept; its folder is not synced."""
        self._move(file, f"{now.astimezone(UTC):{STAMP}}")

    def discard(self, file: Path) -> None:
        """Delete a file, now or when deletes are no longer postponed; its folder is not synced."""
        with self.allow_deletes() as acquired:
            if acquired:
                file.unlink()
                return
        moved = self._move(file, DELETED)
        # Try again: the backup may have ended, and emptied the folder, before the file was moved there.
        with self.allow_deletes() as acquired:
            if acquired:
                self._delete(moved)

    def _delete(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        if path.parent.name != DELETED:
            with suppress(OSError):
                path.parent.rmdir()

    @contextmanager
    def _locked(self, kind: int, timeout: float = 0) -> Iterator[bool]:
        descriptor = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        deadline = time.monotonic() + timeout
        try:
            while not (acquired := durable.try_lock(descriptor, kind)) and time.monotonic() < deadline:
                time.sleep(RETRY_SECONDS)
            yield acquired
        finally:
            os.close(descriptor)

    def _move(self, file: Path, folder: str) -> Path:
        durable.make_folder(self._root / folder)
        moved = file.replace(self._root / folder / file.name)
        durable.sync_folder(moved.parent)
        return moved

    def _folders(self) -> list[Path]:
        """The newest first, `deleted/` last."""
        folders = [path for path in self._root.iterdir() if path.name == DELETED or _stamp(path)]
        return sorted(folders, key=lambda path: (path.name != DELETED, path.name), reverse=True)


def _blobs(folder: Path) -> list[Path]:
    """The blobs in a folder, which may vanish meanwhile; other files are skipped."""
    with suppress(FileNotFoundError):
        return [path for path in folder.iterdir() if is_digest(path.name)]
    return []


def _stamp(folder: Path) -> datetime | None:
    try:
        return datetime.strptime(folder.name, STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
