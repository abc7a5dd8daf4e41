"""Detects changes of a catalogue by reading the shared memory of SQLite's WAL index.

A query releases the GIL, and under load the event loop waits milliseconds to get it back. Reading the memory
takes some hundred nanoseconds.
"""

import mmap
import os
import struct
import threading
from pathlib import Path

HEADER = 96
"""Bytes of both copies of the header (SQLite's "WAL-mode File Format", 2.1). Every commit changes it."""
VERSION = 3007000
"""Version of the format, unchanged since SQLite 3.7.0."""

_FIRST = struct.Struct("=III B")


class _Mapping:
    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.memory = mmap.mmap(descriptor, HEADER, prot=mmap.PROT_READ)
        self.users = 0

    def close(self) -> None:
        self.memory.close()
        os.close(self.descriptor)


_mappings: dict[tuple[int, int], _Mapping] = {}
_guard = threading.Lock()


class WalIndex:
    """The header of the WAL index. A connection of this process must be open as long as this is.

    Closing any descriptor of a file releases all locks of the process on it (POSIX, fcntl), SQLite's too. So
    a process has one descriptor per file, and `close` must be called after its connections are closed.

    Args:
        catalogue: the database.

    Raises:
        OSError: when there is no shared-memory file.
        ValueError: when it is too short: no connection has used it yet.
    """

    def __init__(self, catalogue: Path) -> None:
        path = catalogue.with_name(f"{catalogue.name}-shm")
        with _guard:
            stat = path.stat()
            self._key = (stat.st_dev, stat.st_ino)
            if self._key not in _mappings:
                _mappings[self._key] = _map(path)
            self._mapping = _mappings[self._key]
            self._mapping.users += 1

    def state(self) -> bytes | None:
        """The header: differs after any commit; None if it is not valid."""
        header: bytes = self._mapping.memory[:HEADER]
        version, _, _, is_ready = _FIRST.unpack_from(header)
        return header if version == VERSION and is_ready else None

    def close(self) -> None:
        """Unmap the memory, after the last user."""
        with _guard:
            self._mapping.users -= 1
            if not self._mapping.users:
                _mappings.pop(self._key).close()


def _map(path: Path) -> _Mapping:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return _Mapping(descriptor)
    except ValueError:
        os.close(descriptor)
        raise
