"""The cache of renditions: files in a folder that may be emptied at any time."""

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from uuid import UUID

from msgspec import Struct

from tintype.storage.abandoned import AbandonedFiles
from tintype.storage.cache_files import in_folder
from tintype.storage.disk_usage import DiskUsage, allocated_bytes
from tintype.storage.eviction import HIGH_WATER, Eviction
from tintype.storage.local import LocalReader
from tintype.storage.rendition_locks import RenditionLocks

LOCKS = ".locks"
"""The folder of the lock files, inside the cache."""
TOUCH_SECONDS = 30.0
"""The modification time of a rendition is its time of last use, updated at most once in this many seconds."""

RECOUNT_SECONDS = 24 * 3600
"""Seconds after which all files are counted again."""

_CLOSED = -1
_NAME = re.compile(r"(\d+)-([0-9a-f]+)\.(\w+)\Z")


class CachedRendition(Struct, frozen=True):
    """A rendition found in the cache: the version of its image, and the fingerprint of its recipe."""

    version: int
    recipe: str
    extension: str
    bytes: int


class RenditionWriter:
    """A temporary file that a rendition is written to; removed on `close` unless it was committed.

    If the cache has no space for it, it can still be read from `descriptor`.
    """

    def __init__(self, folder: Path) -> None:
        self.path, self.descriptor = _open_temporary(folder)

    def write(self, data: bytes) -> None:
        """Append bytes.

        Raises:
            OSError: when the write failed.
        """
        view = memoryview(data)
        while view:
            view = view[os.write(self.descriptor, view) :]

    def close(self) -> None:
        """Close the descriptor and remove the temporary file; a committed rendition stays."""
        if self.descriptor != _CLOSED:
            os.close(self.descriptor)
            self.descriptor = _CLOSED
            self.path.unlink(missing_ok=True)

    def __del__(self) -> None:
        self.close()


class Renditions(LocalReader):
    """A folder of renditions, by key: `ab/<image id>/<version>-<fingerprint>.<extension>`.

    One folder per image, so that all its renditions can be removed at once. The cache may be emptied or
    removed while the service runs. All methods but `key` and `local_path` block on the disk, so call them
    from a worker thread.

    Args:
        root: the folder.
        max_bytes: size limit. A rendition that would exceed it is not kept.

    Attributes:
        locks: who makes a rendition holds its lock.
        abandoned: what writers that have ended left behind.
    """

    def __init__(self, root: Path, max_bytes: int) -> None:
        super().__init__(root)
        self._max_bytes = max_bytes
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._usage = DiskUsage(root / LOCKS / "level")
        self._usage.add(0)
        self.locks = RenditionLocks(root / LOCKS)
        self.abandoned = AbandonedFiles(root, "??/*/new-*")

    def key(self, image: UUID, version: int, fingerprint: str, extension: str) -> str:
        """The key of a rendition, whether it is cached or not."""
        return f"{_folder(image)}/{version}-{fingerprint}.{extension}"

    def find(self, key: str) -> int | None:
        """The size of a cached rendition, whose time of last use is updated; None if it is not cached."""
        path = self.path(key)
        try:
            stat = path.stat()
            if stat.st_mtime < time.time() - TOUCH_SECONDS:
                with suppress(PermissionError):
                    os.utime(path)
        except OSError:
            return None
        # Renditions are not fsynced: a power cut can leave an empty file, which counts as missing.
        return stat.st_size or None

    def put(self, key: str, data: bytes) -> bool:
        """Add a rendition atomically. It is not fsynced, since it can be rendered again.

        Returns:
            False if the cache has no space for it: see `needs_eviction`.

        Raises:
            OSError: when it could not be written; no partial file is left.
        """
        # Before anything is written; `commit` asks again.
        if not self._has_room(len(data)):
            return False
        with closing(self.open_writer(key)) as writer:
            writer.write(data)
            return self.commit(key, writer, len(data))

    def open_writer(self, key: str) -> RenditionWriter:
        """A writer for a rendition that arrives in pieces; `commit` then adds it to the cache.

        Raises:
            OSError: when the temporary file can't be created.
        """
        return RenditionWriter(self.path(key).parent)

    def commit(self, key: str, writer: RenditionWriter, size: int) -> bool:
        """Add a written rendition, as `put` does; it can still be read from the writer's descriptor.

        Raises:
            OSError: when it could not be moved into the cache.
        """
        if not self._has_room(size):
            writer.path.unlink(missing_ok=True)
            return False
        writer.path.replace(self.path(key))
        self._usage.add(allocated_bytes(size))
        return True

    def needs_eviction(self) -> bool:
        """Whether the cache is nearly full, or was not counted for a day. Doesn't block on the disk."""
        return (
            self._usage.bytes > HIGH_WATER * self._max_bytes
            or time.time() - self._usage.counted_at > RECOUNT_SECONDS
        )

    @contextmanager
    def evicting(self) -> Iterator[Eviction | None]:
        """An eviction pass; None if another process is evicting."""
        with self.locks.hold_eviction() as acquired:
            yield Eviction(self._root, self._usage, self._max_bytes, time.time()) if acquired else None

    def remove_image(self, image: UUID) -> list[CachedRendition]:
        """Remove all renditions of an image; returns them."""
        folder = self.path(_folder(image))
        files = [(path, _size(path)) for path in sorted(folder.glob("*"))]
        shutil.rmtree(folder, ignore_errors=True)
        self._usage.add(-sum(allocated_bytes(size) for _, size in files))
        return [kept for path, size in files if (kept := _parse_name(path.name, size))]

    def each(self) -> Iterator[UUID]:
        """The ids of the images that have cached renditions; other files are skipped."""
        for folder in self._root.glob("??/*"):
            with suppress(ValueError):
                yield UUID(folder.name)

    def _has_room(self, size: int) -> bool:
        if self._usage.bytes + allocated_bytes(size) > self._max_bytes:
            # Another process may have evicted files since the counter was last read.
            self._usage.add(0)
        return self._usage.bytes + allocated_bytes(size) <= self._max_bytes


def _folder(image: UUID) -> str:
    # The last bytes of a UUIDv7 are random; the first would put a day's images into one shard.
    return f"{image.hex[-2:]}/{image}"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _parse_name(name: str, size: int) -> CachedRendition | None:
    match = _NAME.match(name)
    return CachedRendition(int(match[1]), match[2], match[3], size) if match else None


def _open_temporary(folder: Path) -> tuple[Path, int]:
    """A new temporary file, and its descriptor."""
    descriptor, writer = in_folder(folder, lambda: tempfile.mkstemp(prefix="new-", dir=folder))
    return Path(writer), descriptor
