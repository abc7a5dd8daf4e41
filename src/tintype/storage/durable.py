"""File operations that are durable (fsynced) on return, the errors of failed writes, and locks."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tintype.model import InsufficientStorage

UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM})
"""Errors of a write that can't succeed now: disk full, quota, file too large, read-only, no permission."""


@contextmanager
def storage_errors() -> Iterator[None]:
    """Translate failed writes into `Error`.

    Raises:
        InsufficientStorage: when a write failed with one of `UNWRITABLE`.
    """
    try:
        yield
    except OSError as failed:
        if failed.errno in UNWRITABLE:
            raise InsufficientStorage(os.strerror(failed.errno)) from failed
        raise


def make_folder(path: Path) -> None:
    """Create a folder and its parents with mode 0700, durably."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    sync_folder(path.parent)


def is_empty(path: Path) -> bool:
    """Whether a folder is missing or empty, apart from the `lost+found` of a new file system."""
    return not path.exists() or all(each.name == "lost+found" for each in path.iterdir())


def sync_folder(path: Path) -> None:
    """Fsync a folder: makes creations, renames and removals in it durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_private(path: Path, data: bytes) -> None:
    """Write a small file atomically and durably, with mode 0600."""
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
    """Hold an exclusive flock on a folder while the block runs; waits for other processes and threads."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def try_lock(descriptor: int, kind: int) -> bool:
    """Try to get an flock of a kind on an open file or folder; False if another holds it. It never waits."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError as refused:
        # EACCES: on network file systems that lock by fcntl.
        if refused.errno not in {errno.EWOULDBLOCK, errno.EACCES}:
            raise
        return False
    return True
