"""Whether a catalogue has changed, told from the memory that SQLite's processes share.

Asking SQLite lets other threads run while it looks, and under load the event loop waits milliseconds until
it has its turn back. A look into the memory is some hundred nanoseconds.
"""

import mmap
import os
import struct
import threading
from pathlib import Path

HEADER = 96
"""Bytes of the header, twice (SQLite's "WAL-mode File Format", 2.1). Every commit changes it."""
VERSION = 3007000
"""Of the format, which is the same since SQLite 3.7.0."""

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
    """The header, as long as a connection of this process keeps the file in use.

    Closing any descriptor of a file takes all locks of the process on it away (POSIX, fcntl), those of SQLite
    too: so a process has one for each file, and `close` is called when its connections are closed.

    Args:
        catalogue: the database.

    Raises:
        OSError: there is no such memory.
        ValueError: it is too short: nobody has used it yet.
    """

    def __init__(self, catalogue: Path) -> None:
        path = catalogue.with_name(f"{catalogue.name}-shm")
        with _guard:
            found = path.stat()
            self._key = (found.st_dev, found.st_ino)
            if self._key not in _mappings:
                _mappings[self._key] = _map(path)
            self._mapping = _mappings[self._key]
            self._mapping.users += 1

    def state(self) -> bytes | None:
        """Bytes that are others once anybody has committed a change; None if they tell nothing."""
        header: bytes = self._mapping.memory[:HEADER]
        version, _, _, is_ready = _FIRST.unpack_from(header)
        return header if version == VERSION and is_ready else None

    def close(self) -> None:
        """Let go of the memory."""
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
