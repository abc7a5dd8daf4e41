"""Reserved disk space that is released for deletes, so that they work when the disk is full."""

import errno
import os
import threading
from pathlib import Path

from tintype.model import Error
from tintype.storage import durable

BYTES = 8 * 1024 * 1024
"""Size of the reserve: enough for the journal of some hundred deletes."""
SHARE = 32
"""At most 1/32 of the file system is reserved."""
MIN_FREE_BYTES = 1024 * 1024
"""With fewer free bytes the disk counts as full although the reserve exists."""

_FAULTS = {errno.ENOSPC: "full", errno.EDQUOT: "full", errno.EROFS: "read-only"}


class Reserve:
    """An allocated file that is removed when a delete needs space. All methods block on the disk.

    Args:
        path: the file; on the same file system as the data.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def hold(self) -> None:
        """Allocate the reserve, if it does not exist.

        Raises:
            InsufficientStorage: when the disk has no space for it, and so for nothing else.
        """
        size = self._size()
        with self._lock, durable.storage_errors():
            if self._allocated() < size:
                self._allocate(size)

    def release(self) -> bool:
        """Release the reserve; False if there was none."""
        with durable.storage_errors():
            was_held = self._allocated() > 0
            self._path.unlink(missing_ok=True)
            return was_held

    def fault(self) -> str:
        """What is wrong with the disk: `full`, `read-only` or `not writable`; empty if it is writable."""
        try:
            space = os.statvfs(self._path.parent)
            self.hold()
            # A file system that was remounted read-only after a disk fault reports it only to writers.
            os.utime(self._path)
        except (Error, OSError) as failed:
            number = getattr(failed.__cause__ or failed, "errno", None)
            return _FAULTS.get(number or 0, "not writable")
        return "full" if space.f_bavail * space.f_frsize < min(MIN_FREE_BYTES, self._size()) else ""

    def _size(self) -> int:
        space = os.statvfs(self._path.parent)
        return min(BYTES, space.f_blocks * space.f_frsize // SHARE)

    def _allocated(self) -> int:
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0

    def _allocate(self, size: int) -> None:
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            # Truncating is not enough: a sparse file reserves nothing.
            os.posix_fallocate(descriptor, 0, size)
            temporary.replace(self._path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)
