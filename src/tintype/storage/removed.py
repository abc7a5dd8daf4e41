"""The trash: originals that were removed from the library and are kept for a while."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from tintype.storage import durable
from tintype.storage.digest import is_digest

STAMP = "%Y%m%dT%H%M%SZ"
"""Name of a folder: the time, in UTC, at which its files were set aside."""
LOCK_TIMEOUT_SECONDS = 2.0
"""How long a backup waits for concurrent deletes, which take milliseconds each."""
RETRY_SECONDS = 0.005
DELETED = "deleted"
"""The folder of files that were deleted while a backup ran: it is emptied when the backup has ended."""


class Removed:
    """Files that were set aside, in a folder per time, such as `20261126T193512Z/<sha256>`.

    While a backup holds the exclusive lock, deleted files are moved to `deleted/`, so that the backup still
    finds every original its snapshot refers to. All methods block on the disk.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        durable.make_folder(root / DELETED)

    def set_aside(self, original: Path, now: datetime) -> None:
        """Move an original here; it is kept until it appears in `expired`."""
        self._move(original, f"{now.astimezone(UTC):{STAMP}}")

    def delete(self, original: Path) -> None:
        """Delete an original permanently: now, or when the running backup has ended."""
        with self.shared_lock() as acquired:
            if acquired:
                original.unlink()
                return
        moved = self._move(original, DELETED)
        # Try again: the backup may have ended, and emptied the folder, before the file was moved there.
        with self.shared_lock() as acquired:
            if acquired:
                self.forget(moved)

    def find(self, sha256: str) -> Path | None:
        """The path of an original in the trash; None if it is not here."""
        found = [folder / sha256 for folder in self._folders() if (folder / sha256).is_file()]
        return found[0] if found else None

    def each(self) -> Iterator[Path]:
        """The paths of all files that were set aside or wait to be deleted."""
        for folder in self._folders():
            yield from _originals(folder)

    def expired(self, before: datetime) -> list[Path]:
        """Files that were set aside before a time, and those that a killed backup has left in `deleted/`."""
        return [path for path in self.each() if (_stamp(path.parent) or before) <= before]

    def oldest(self) -> datetime | None:
        """The time at which the oldest file here was set aside."""
        return min((stamp for path in self.each() if (stamp := _stamp(path.parent))), default=None)

    def forget(self, path: Path) -> None:
        """Delete one of `each` permanently, and its folder if it is then empty."""
        path.unlink(missing_ok=True)
        if path.parent.name != DELETED:
            with suppress(OSError):
                path.parent.rmdir()

    @contextmanager
    def shared_lock(self) -> Iterator[bool]:
        """Yields whether no backup runs; then none begins before the block ends."""
        with self._locked(fcntl.LOCK_SH) as acquired:
            yield acquired

    @contextmanager
    def exclusive_lock(self) -> Iterator[bool]:
        """Postpone all deletes while the block runs; yields False if a backup or garbage collection runs.

        It waits for single deletes. At the end the postponed deletes are carried out.
        """
        with self._locked(fcntl.LOCK_EX, LOCK_TIMEOUT_SECONDS) as acquired:
            try:
                yield acquired
            finally:
                if acquired:
                    for path in _originals(self._root / DELETED):
                        self.forget(path)

    @contextmanager
    def _locked(self, kind: int, timeout: float = 0) -> Iterator[bool]:
        descriptor = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        deadline = time.monotonic() + timeout
        try:
            while not (acquired := _lock(descriptor, kind)) and time.monotonic() < deadline:
                time.sleep(RETRY_SECONDS)
            yield acquired
        finally:
            os.close(descriptor)

    def _move(self, original: Path, folder: str) -> Path:
        durable.make_folder(self._root / folder)
        moved = original.replace(self._root / folder / original.name)
        durable.sync_folder(moved.parent)
        return moved

    def _folders(self) -> list[Path]:
        """The newest first, `deleted/` last."""
        found = [path for path in self._root.iterdir() if path.name == DELETED or _stamp(path)]
        return sorted(found, key=lambda path: (path.name != DELETED, path.name), reverse=True)


def _originals(folder: Path) -> list[Path]:
    """The originals in a folder, which may vanish meanwhile; other files are skipped."""
    with suppress(FileNotFoundError):
        return [path for path in folder.iterdir() if is_digest(path.name)]
    return []


def _lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _stamp(folder: Path) -> datetime | None:
    try:
        return datetime.strptime(folder.name, STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
