"""Room on the disk that nothing but deletes may use, so that they work when it is full."""

import errno
import os
import threading
from pathlib import Path

from tintype.model import Error
from tintype.storage import durable

BYTES = 8 * 1024 * 1024
"""What is reserved: the journal of some hundred deletes."""
SHARE = 32
"""On a small disk less is reserved: one part in so many of it."""
MIN_FREE_BYTES = 1024 * 1024
"""Free bytes below which a disk counts as full though the reserve is there."""

_FAULTS = {errno.ENOSPC: "full", errno.EDQUOT: "full", errno.EROFS: "read-only"}


class Reserve:
    """A file that holds the room, and is removed when a delete needs it. All methods block on the disk.

    Args:
        path: the file; on the file system of what is stored.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def hold(self) -> None:
        """Make the reserve, if it is not there.

        Raises:
            Error: INSUFFICIENT_STORAGE when there is no room for it: then there is none for anything else.
        """
        size = self._size()
        with self._lock, durable.storage_errors():
            if self._allocated() < size:
                self._allocate(size)

    def release(self) -> bool:
        """Give the room up; False if there was none."""
        with durable.storage_errors():
            was_held = self._allocated() > 0
            self._path.unlink(missing_ok=True)
            return was_held

    def fault(self) -> str:
        """What is wrong with the disk, in a few words; empty if it takes what comes."""
        try:
            found = os.statvfs(self._path.parent)
            self.hold()
            # A file system that went read-only after a fault of its disk says so only to who writes.
            os.utime(self._path)
        except (Error, OSError) as failed:
            number = getattr(failed.__cause__ or failed, "errno", None)
            return _FAULTS.get(number or 0, "not writable")
        return "full" if found.f_bavail * found.f_frsize < min(MIN_FREE_BYTES, self._size()) else ""

    def _size(self) -> int:
        found = os.statvfs(self._path.parent)
        return min(BYTES, found.f_blocks * found.f_frsize // SHARE)

    def _allocated(self) -> int:
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0

    def _allocate(self, size: int) -> None:
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            # Allocated, not only as long: a file of holes reserves nothing.
            os.posix_fallocate(descriptor, 0, size)
            temporary.replace(self._path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)
