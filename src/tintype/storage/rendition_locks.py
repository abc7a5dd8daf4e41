"""Locks between processes, so that only one of them renders a given rendition at a time."""

import fcntl
import os
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tintype.storage import durable
from tintype.storage.cache_files import open_shared

FILES = 256
"""Number of lock files that all renditions share: collisions between concurrent renders are rare."""
EVICTION = "eviction"
"""The lock file of who evicts."""


class RenditionLocks:
    """Locks on a fixed set of files, so that no stale files accumulate; the kernel releases a dead process's.

    Args:
        folder: where the files are. It may vanish at any time, and is created again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def hold(self, key: str) -> AbstractContextManager[bool]:
        """Try to lock a key while the block runs; yields whether it succeeded. It never waits.

        If lock files can't be opened (the disk is full or read-only), every caller succeeds.
        """
        return self._locked(_file_name(key), fcntl.LOCK_EX)

    def hold_eviction(self) -> AbstractContextManager[bool]:
        """As `hold`, to evict: a file of its own, or the renditions that share it would wait meanwhile."""
        return self._locked(EVICTION, fcntl.LOCK_EX)

    def is_held(self, key: str) -> bool:
        """Whether a key, or another with the same lock file, is locked now."""
        with self._locked(_file_name(key), fcntl.LOCK_SH) as acquired:
            return not acquired

    @contextmanager
    def _locked(self, name: str, kind: int) -> Iterator[bool]:
        descriptor = self._open(name)
        if descriptor is None:
            yield True
            return
        try:
            yield _lock(descriptor, kind)
        finally:
            os.close(descriptor)

    def _open(self, name: str) -> int | None:
        try:
            return open_shared(self._folder / name)
        except OSError:
            return None


def _file_name(key: str) -> str:
    return f"{zlib.crc32(key.encode()) % FILES:03x}"


def _lock(descriptor: int, kind: int) -> bool:
    try:
        return durable.try_lock(descriptor, kind)
    except OSError:
        # A file system without locks.
        return True
