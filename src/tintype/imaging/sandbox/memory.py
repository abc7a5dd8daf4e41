"""How much memory this process has, and can have."""

import os
import resource
import sys

PAGE = resource.getpagesize()
DATA_FIELD = 5
"""Of /proc/self/statm: pages that are written to, or may be, and belong to no other."""


class Memory:
    """The memory of this process; still read when no file can be opened any more."""

    def __init__(self) -> None:
        is_linux = sys.platform == "linux"
        self._file = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC) if is_linux else -1

    def private(self) -> int:
        """Bytes that are counted against RLIMIT_DATA; 0 where the system doesn't tell."""
        return self._pages(DATA_FIELD) * PAGE

    def address_space(self) -> int:
        """Bytes that are counted against RLIMIT_AS; 0 where the system doesn't tell."""
        return self._pages(0) * PAGE

    def _pages(self, field: int) -> int:
        return int(os.pread(self._file, 256, 0).split()[field]) if self._file >= 0 else 0
