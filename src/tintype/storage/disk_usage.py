"""The size of a cache on disk: one counter shared by all processes, so that no files need to be listed."""

import fcntl
import os
import struct
import threading
from contextlib import suppress
from pathlib import Path

from tintype.storage.cache_files import open_shared

BLOCK = 4096
"""Files are assumed to occupy multiples of this many bytes."""

_RECORD = struct.Struct(">qq")


def allocated_bytes(size: int) -> int:
    """Bytes that a file of this size occupies on disk."""
    return -(-size // BLOCK) * BLOCK


class DiskUsage:
    """A counter of bytes in a small file. Updates that lose the lock are added to the next one.

    Args:
        path: the file. It may vanish at any time; the counter then starts at 0.

    Attributes:
        bytes: the counter when this process last updated it.
        counted_at: Unix time of the last count of all files; 0: never.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._pending = 0
        self.bytes = 0
        self.counted_at = 0

    def add(self, size: int, counted_at: int | None = None) -> None:
        """Add bytes, or subtract if negative; `counted_at` is given after a count of all files."""
        with self._lock:
            self._pending += size
            self.bytes = max(0, self.bytes + size)
            with suppress(OSError):
                self._write(counted_at)

    def _write(self, counted_at: int | None) -> None:
        descriptor = open_shared(self._path)
        try:
            # Never wait for the lock: an update that fails is written with the next one.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            record = os.pread(descriptor, _RECORD.size, 0)
            total, before = _RECORD.unpack(record) if len(record) == _RECORD.size else (0, 0)
            self.bytes = max(0, total + self._pending)
            self.counted_at = before if counted_at is None else counted_at
            os.pwrite(descriptor, _RECORD.pack(self.bytes, self.counted_at), 0)
            self._pending = 0
        finally:
            os.close(descriptor)
