"""The memory that this process uses."""

import os
import resource
import sys

PAGE = resource.getpagesize()
DATA_FIELD = 5
"""The field `data` of /proc/self/statm: private writable pages."""


class Memory:
    """The memory of this process. The file is opened once, so it works after opening files is forbidden."""

    def __init__(self) -> None:
        is_linux = sys.platform == "linux"
        self._file = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC) if is_linux else -1

    def private(self) -> int:
        """Bytes that count against RLIMIT_DATA; 0 where unknown."""
        return self._pages(DATA_FIELD) * PAGE

    def address_space(self) -> int:
        """Bytes that count against RLIMIT_AS; 0 where unknown."""
        return self._pages(0) * PAGE

    def _pages(self, field: int) -> int:
        return int(os.pread(self._file, 256, 0).split()[field]) if self._file >= 0 else 0
