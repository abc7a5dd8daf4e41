"""How full a cache is: one count for all processes of the machine, kept without looking at every file."""

import fcntl
import os
import struct
import threading
from contextlib import suppress
from pathlib import Path

from tintype.storage.cache_files import open_shared

BLOCK = 4096
"""Bytes that files take on a disk are a multiple of this."""

_RECORD = struct.Struct(">qq")


def allocated_bytes(size: int) -> int:
    """Bytes that a file of this size takes on a disk."""
    return -(-size // BLOCK) * BLOCK


class DiskUsage:
    """A count of bytes in a small file. What can't be written at once is added the next time.

    Args:
        path: the file. It may vanish at any time: then nothing was ever counted.

    Attributes:
        bytes: the count when it was last changed here.
        counted_at: Unix time of the last count of everything; 0: never.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._pending = 0
        self.bytes = 0
        self.counted_at = 0

    def add(self, size: int, counted_at: int | None = None) -> None:
        """Count bytes that came, or, negative, that went; with a time, all were counted then."""
        with self._lock:
            self._pending += size
            self.bytes = max(0, self.bytes + size)
            with suppress(OSError):
                self._write(counted_at)

    def _write(self, counted_at: int | None) -> None:
        descriptor = open_shared(self._path)
        try:
            # Nobody waits here: what another process keeps us from writing is written with the next.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found = os.pread(descriptor, _RECORD.size, 0)
            total, before = _RECORD.unpack(found) if len(found) == _RECORD.size else (0, 0)
            self.bytes = max(0, total + self._pending)
            self.counted_at = before if counted_at is None else counted_at
            os.pwrite(descriptor, _RECORD.pack(self.bytes, self.counted_at), 0)
            self._pending = 0
        finally:
            os.close(descriptor)
