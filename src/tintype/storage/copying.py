"""Copying files with verification of their digest."""

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

CHUNK = 1024 * 1024


class DigestMismatch(Exception):
    """The content of a file does not match its digest."""


def copy_verified(source: BinaryIO, temporary: Path, target: Path, sha256: str) -> None:
    """Copy a file atomically, with mode 0600. Its content is fsynced, its name is not: sync the folder.

    Args:
        source: the open file to copy.
        temporary: where it is written first; on the file system of the target.
        target: where it is moved when complete.
        sha256: the expected digest.

    Raises:
        DigestMismatch: when the source has another digest; no copy is left.
    """
    try:
        _copy(source, temporary, sha256)
        temporary.replace(target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def _copy(source: BinaryIO, temporary: Path, sha256: str) -> None:
    digest = hashlib.sha256()
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb", buffering=0) as writer:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            view = memoryview(chunk)
            while view:
                view = view[writer.write(view) :]
        os.fsync(writer.fileno())
    if digest.hexdigest() != sha256:
        raise DigestMismatch(sha256)
