"""Files in local folders: by any key, or as blobs, named by the SHA-256 of their bytes, as `ab/abcdef…`."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from tintype.storage import durable
from tintype.storage.blobs import BlobStat, RemovedBlob
from tintype.storage.digest import digest_of, is_digest
from tintype.storage.local_trash import LocalTrash
from tintype.storage.staging import Staged


class LocalReader:
    """Reads files in a folder, whose keys are their paths in it; implements `BlobReader`.

    Args:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def open(self, key: str) -> BinaryIO:
        """See `BlobReader`."""
        return self.path(key).open("rb", buffering=0)

    def read_range(self, key: str, start: int, size: int) -> bytes:
        """See `BlobReader`."""
        with self.open(key) as file:
            return os.pread(file.fileno(), size, start)

    def local_path(self, key: str) -> str:
        """See `BlobReader`."""
        return f"{self._root}/{key}"

    def path(self, key: str) -> Path:
        """The path of a file, whether it exists or not; only for the local stores themselves."""
        return Path(self.local_path(key))


class BlobFolder(LocalReader):
    """A folder of blobs, to be read. The folder may be missing: then it has none."""

    def stat(self, key: str) -> BlobStat | None:
        """See `Blobs`."""
        try:
            file_stat = self.path(key).stat()
        except FileNotFoundError:
            return None
        return BlobStat(file_stat.st_size, datetime.fromtimestamp(file_stat.st_mtime, UTC))

    def local_path(self, key: str) -> str:
        """See `BlobReader`."""
        return f"{self._root}/{key[:2]}/{key}"

    def list(self) -> Iterator[str]:
        """See `Blobs`. Other files in the folder are skipped."""
        for path in self._root.glob("??/*"):
            if is_digest(path.name) and path.name.startswith(path.parent.name):
                yield path.name


class LocalBlobs(BlobFolder):
    """The store of originals on a local file system; implements `Blobs`.

    Args:
        root: the folder; created if it is missing.
        removed: the folder of the trash; on the same file system.
    """

    def __init__(self, root: Path, removed: Path) -> None:
        super().__init__(root)
        self.trash = LocalTrash(removed)
        durable.make_folder(root)

    def put(self, staged: Staged) -> None:
        """See `Blobs`. The staged file is renamed, and so is no longer staged."""
        target = self.path(staged.sha256)
        with durable.storage_errors():
            durable.make_folder(target.parent)
            staged.path.replace(target)
            durable.sync_folder(target.parent)

    def delete(self, key: str) -> None:
        """See `Blobs`."""
        path = self.path(key)
        if path.exists():
            self.trash.discard(path)
            durable.sync_folder(path.parent)

    def set_aside(self, key: str, now: datetime) -> None:
        """See `Blobs`."""
        path = self.path(key)
        if path.exists():
            self.trash.set_aside(path, now)
            durable.sync_folder(path.parent)

    def put_back(self, removed: RemovedBlob) -> bool:
        """See `Blobs`."""
        source, target = self.trash.path(removed), self.path(removed.key)
        if digest_of(source) != removed.key:
            return False
        durable.make_folder(target.parent)
        source.replace(target)
        durable.sync_folder(target.parent)
        self.trash.delete(removed)
        return True
