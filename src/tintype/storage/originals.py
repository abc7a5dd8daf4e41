"""Originals: content-addressed files, named by the SHA-256 of their bytes."""

import hashlib
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from tintype.storage import durable
from tintype.storage.digest import digest_of, is_digest
from tintype.storage.removed import Removed

_CLOSED = -1


class SizeLimitExceeded(Exception):
    """More bytes were written than the limit of the staged upload."""


class Staged:
    """An upload in progress: written to a temporary file and hashed at the same time.

    `open` creates the file; `discard` removes it unless it was published. As a context manager it does both.
    All methods block on the disk, so call them from a worker thread.

    Args:
        folder: where temporary files are; on the same file system as the originals.
        limit: the maximum number of bytes; more raise `SizeLimitExceeded`.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.path = folder / f"upload-{uuid4().hex}"
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
            Error: INSUFFICIENT_STORAGE when the disk can't be written to; also in `write` and `seal`.
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

    def discard(self) -> None:
        """Remove the temporary file, if it exists and was not published."""
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


def digests(root: Path) -> Iterator[str]:
    """The digests of all originals in a folder, in no particular order; other files are skipped."""
    for path in root.glob("??/*"):
        if is_digest(path.name) and path.name.startswith(path.parent.name):
            yield path.name


class Originals:
    """A folder of originals, content-addressed: `ab/abcdef….`.

    All methods but `path` and `stage` block on the disk, so call them from a worker thread.

    Args:
        root: the folder.
        incoming: folder of uploads in progress; on the same file system.
        removed: folder of originals that were set aside; on the same file system.
    """

    def __init__(self, root: Path, incoming: Path, removed: Path) -> None:
        self._root = root
        self._incoming = incoming
        self.removed = Removed(removed)
        durable.make_folder(root)
        durable.make_folder(incoming)

    def stage(self, limit: int) -> Staged:
        """An upload of at most `limit` bytes, not opened yet."""
        return Staged(self._incoming, limit)

    def publish(self, staged: Staged) -> None:
        """Move a sealed upload to its final name, durably.

        Call it inside the write transaction that records it. Removals are made in write transactions too, so
        that bytes are never removed between their publication and the commit of their row.
        """
        target = self.path(staged.sha256)
        with durable.storage_errors():
            durable.make_folder(target.parent)
            staged.path.replace(target)
            durable.sync_folder(target.parent)

    def sync(self) -> None:
        """Fsync the folders of all originals."""
        for folder in self._root.glob("??"):
            durable.sync_folder(folder)

    def path(self, sha256: str) -> Path:
        """The path of the original with this digest, whether it exists or not."""
        return self._root / sha256[:2] / sha256

    def exists(self, sha256: str) -> bool:
        """Whether the original is stored."""
        return self.path(sha256).is_file()

    def digest(self, sha256: str) -> str:
        """The digest of the stored bytes as they are now; differs from `sha256` if they are damaged."""
        return digest_of(self.path(sha256))

    def remove(self, sha256: str) -> None:
        """Delete an original; no error if it does not exist."""
        path = self.path(sha256)
        if path.exists():
            self.removed.delete(path)
            durable.sync_folder(path.parent)

    def set_aside(self, sha256: str, now: datetime) -> None:
        """Move an original to the trash; no error if it does not exist."""
        path = self.path(sha256)
        if path.exists():
            self.removed.set_aside(path, now)
            durable.sync_folder(path.parent)

    def put_back(self, path: Path) -> bool:
        """Restore an original from its path in the trash; False if it is damaged."""
        if digest_of(path) != path.name:
            return False
        target = self.path(path.name)
        durable.make_folder(target.parent)
        path.replace(target)
        durable.sync_folder(target.parent)
        self.removed.forget(path)
        return True

    def each(self) -> Iterator[str]:
        """The digests of all originals, in no particular order; other files are skipped."""
        return digests(self._root)

    def abandoned(self, older_than_seconds: float) -> list[Path]:
        """Temporary files older than that, left by uploads which have ended."""
        return durable.older_than(self._incoming.glob("upload-*"), older_than_seconds)
