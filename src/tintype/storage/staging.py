"""Uploads in progress: temporary files that are hashed while they are written."""

import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from uuid import uuid4

from tintype.storage import durable
from tintype.storage.abandoned import AbandonedFiles

_CLOSED = -1


class SizeLimitExceeded(Exception):
    """More bytes were written than the limit of the staged upload."""


class Staged:
    """An upload in progress: written to a temporary file and hashed at the same time.

    `open` creates the file; `discard` removes it unless a store has taken it over. As a context manager it
    does both. All methods block on the disk, so call them from a worker thread.

    Args:
        path: the temporary file.
        limit: the maximum number of bytes; more raise `SizeLimitExceeded`.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self.path = path
        self.size = 0
        self._limit = limit
        self._hash = hashlib.sha256()
        self._descriptor = _CLOSED

    @property
    def sha256(self) -> str:
        """The digest of the bytes written so far, in lower-case hexadecimal."""
        return self._hash.hexdigest()

    def open(self) -> None:
        """Create the temporary file, with mode 0600.

        Raises:
            InsufficientStorage: when the disk can't be written to; also in `write` and `seal`.
        """
        with durable.storage_errors():
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def write(self, chunk: bytes) -> None:
        """Append bytes; after an error the same bytes may be written again."""
        if self.size + len(chunk) > self._limit:
            raise SizeLimitExceeded
        view, at = memoryview(chunk), self.size
        with durable.storage_errors():
            while view:
                written = os.pwrite(self._descriptor, view, at)
                view, at = view[written:], at + written
        self._hash.update(chunk)
        self.size = at

    def seal(self) -> None:
        """Fsync and close the file; nothing can be written after this."""
        with durable.storage_errors():
            os.fsync(self._descriptor)
        self._close()

    def read(self) -> BinaryIO:
        """The sealed bytes as an open file."""
        return self.path.open("rb")

    def discard(self) -> None:
        """Remove the temporary file, if it exists and was not taken over."""
        self._close()
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()

    def _close(self) -> None:
        if self._descriptor != _CLOSED:
            os.close(self._descriptor)
            self._descriptor = _CLOSED


class Staging:
    """The folder of uploads in progress.

    Args:
        root: the folder; on the file system of the originals where these are local files.

    Attributes:
        abandoned: what uploads that have ended left behind.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self.abandoned = AbandonedFiles(root, "upload-*")
        durable.make_folder(root)

    def stage(self, limit: int) -> Staged:
        """An upload of at most `limit` bytes, not opened yet."""
        return Staged(self._root / f"upload-{uuid4().hex}", limit)
