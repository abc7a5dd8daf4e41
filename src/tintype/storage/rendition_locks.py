"""Who makes a rendition: one process of the machine at a time, and nobody waits on a disk for it."""

import errno
import fcntl
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tintype.storage.cache_files import open_shared

FILES = 256
"""Lock files that the renditions share: two made at the same moment rarely meet in one."""


class RenditionLocks:
    """Locks in a fixed set of files, so that none is left over. The kernel frees those of who ends.

    Args:
        folder: where the files lie. It may vanish at any time, and is made again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def hold(self, path: Path) -> Iterator[bool]:
        """Whether we are the one who makes `path` while the block runs. It never waits.

        Where no lock can be had at all (a full disk, one that is only read), all are.
        """
        with self._locked(path, fcntl.LOCK_EX) as is_ours:
            yield is_ours

    def is_held(self, path: Path) -> bool:
        """Whether somebody is making `path` just now, or something that shares its lock."""
        with self._locked(path, fcntl.LOCK_SH) as is_free:
            return not is_free

    @contextmanager
    def _locked(self, path: Path, kind: int) -> Iterator[bool]:
        descriptor = self._open(path)
        if descriptor is None:
            yield True
            return
        try:
            yield _lock(descriptor, kind)
        finally:
            os.close(descriptor)

    def _open(self, path: Path) -> int | None:
        # The folder and the name: processes may see the cache at different absolute paths.
        number = zlib.crc32(os.fsencode(f"{path.parent.name}/{path.name}")) % FILES
        try:
            return open_shared(self._folder / f"{number:03x}")
        except OSError:
            return None


def _lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError as refused:
        return refused.errno not in {errno.EWOULDBLOCK, errno.EACCES}
    return True
