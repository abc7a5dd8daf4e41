"""The few file operations that must have reached the disk before anybody is told so."""

import errno
import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tintype.model import insufficient_storage

UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM})
"""Why a disk takes nothing: full, over a quota, the file too large for it, only read, not ours to write."""


@contextmanager
def storage_errors() -> Iterator[None]:
    """Say in our words that the disk takes nothing.

    Raises:
        Error: INSUFFICIENT_STORAGE.
    """
    try:
        yield
    except OSError as failed:
        if failed.errno in UNWRITABLE:
            raise insufficient_storage(os.strerror(failed.errno)) from failed
        raise


def make_folder(path: Path) -> None:
    """Create a folder and its parents, for their owner alone; the new entries survive a power cut."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    sync_folder(path.parent)


def is_empty(path: Path) -> bool:
    """Whether a folder is missing, or holds nothing but what a new file system has."""
    return not path.exists() or all(each.name == "lost+found" for each in path.iterdir())


def sync_folder(path: Path) -> None:
    """Make the entries of a folder (creations, renames, removals) durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_private(path: Path, data: bytes) -> None:
    """Put a small file in place, whole or not at all, readable by its owner only (mode 0600)."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


@contextmanager
def exclusive_lock(folder: Path) -> Iterator[None]:
    """Hold a folder against all others, processes and threads, that ask for it here; they wait."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def older_than(paths: Iterable[Path], seconds: float) -> list[Path]:
    """Those of some files that were last written longer ago than that, without any that vanish meanwhile."""
    horizon = time.time() - seconds
    found = []
    for path in paths:
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < horizon:
                found.append(path)
    return found
