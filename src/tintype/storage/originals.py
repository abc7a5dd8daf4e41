"""Originals in a folder, each under the SHA-256 of its bytes."""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from tintype.storage import durable

_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


class StageFull(Exception):  # noqa: N818  it is a bound that was reached, not a fault
    """More bytes came than the stage was opened for."""


class Staged:
    """Bytes on their way in: written to a temporary file and hashed meanwhile.

    Use it as a context manager: whatever was not published when the block ends is removed. All methods
    block on the disk, so call them from a worker thread.

    Args:
        folder: where temporary files lie; the same file system as the originals.
        limit: the most bytes taken; one more raises `StageFull`.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        descriptor, name = tempfile.mkstemp(prefix="upload-", dir=folder)
        self.path = Path(name)
        self.size = 0
        self._limit = limit
        self._hash = hashlib.sha256()
        self._file = os.fdopen(descriptor, "wb", buffering=0)

    @property
    def sha256(self) -> str:
        """The digest of what was written so far, in lower-case hexadecimal."""
        return self._hash.hexdigest()

    def write(self, chunk: bytes) -> None:
        """Append bytes."""
        self.size += len(chunk)
        if self.size > self._limit:
            raise StageFull
        view = memoryview(chunk)
        while view:
            view = view[self._file.write(view) :]
        self._hash.update(chunk)

    def seal(self) -> None:
        """Make what was written durable; nothing is written after this."""
        os.fsync(self._file.fileno())
        self._file.close()

    def discard(self) -> None:
        """Remove the temporary file, if it was not published."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()


class Originals:
    """A folder of originals, content-addressed: `ab/abcdef….`.

    All methods but `path` block on the disk, so call them from a worker thread.
    """

    def __init__(self, root: Path, incoming: Path) -> None:
        self._root = root
        self._incoming = incoming
        durable.make_folder(root)
        durable.make_folder(incoming)

    def stage(self, limit: int) -> Staged:
        """Open a temporary file for at most `limit` bytes."""
        return Staged(self._incoming, limit)

    def publish(self, staged: Staged) -> None:
        """Give sealed bytes their final name. On return they survive a power cut.

        Call it inside the write transaction that records them: removals do the same, so that bytes are
        never removed between their publication and the commit of their row.
        """
        target = self.path(staged.sha256)
        durable.make_folder(target.parent)
        staged.path.replace(target)
        durable.sync_folder(target.parent)

    def path(self, sha256: str) -> Path:
        """Where the original with this digest lies, if it is here."""
        return self._root / sha256[:2] / sha256

    def holds(self, sha256: str) -> bool:
        """Whether the original is here."""
        return self.path(sha256).is_file()

    def digest(self, sha256: str) -> str:
        """The digest that the stored bytes have now; differs from `sha256` when the disk lost them."""
        with self.path(sha256).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def remove(self, sha256: str) -> None:
        """Remove an original; no error if it is gone already."""
        path = self.path(sha256)
        if path.exists():
            path.unlink()
            durable.sync_folder(path.parent)

    def each(self) -> Iterator[str]:
        """The digests of everything stored here, in no particular order; foreign files are passed over."""
        for path in self._root.glob("??/*"):
            if _DIGEST.match(path.name) and path.name.startswith(path.parent.name):
                yield path.name

    def abandoned(self, older_than_seconds: float) -> list[Path]:
        """Temporary files that no upload can still be writing."""
        return durable.older(self._incoming.glob("upload-*"), older_than_seconds)
