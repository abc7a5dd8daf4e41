"""Renditions in a folder: a cache that may be emptied at any time."""

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import UUID

from msgspec import Struct

from tintype.storage import durable
from tintype.storage.cache_files import in_folder
from tintype.storage.disk_usage import DiskUsage, allocated_bytes
from tintype.storage.eviction import HIGH_WATER, Eviction
from tintype.storage.rendition_locks import RenditionLocks

LOCKS = ".locks"
"""The folder of the lock files, beside those of the renditions."""
TOUCH_SECONDS = 30.0
"""Seconds after which a rendition that is used again is marked as used: its time of change says when."""

RECOUNT_SECONDS = 24 * 3600
"""Seconds after which everything is counted again."""

_CLOSED = -1
_NAME = re.compile(r"(\d+)-([0-9a-f]+)\.(\w+)\Z")


class CachedRendition(Struct, frozen=True):
    """A rendition as it lay in the cache: of which version, by which recipe (its fingerprint)."""

    version: int
    recipe: str
    extension: str
    bytes: int


class RenditionWriter:
    """A rendition while it is written, beside its place: a file that is gone with this, unless it is kept.

    What has no room in the cache can still be read from `descriptor`.
    """

    def __init__(self, folder: Path) -> None:
        self.path, self.descriptor = _open_temporary(folder)

    def write(self, data: bytes) -> None:
        """Append bytes. Raises OSError."""
        view = memoryview(data)
        while view:
            view = view[os.write(self.descriptor, view) :]

    def close(self) -> None:
        """Drop it; what was kept stays."""
        if self.descriptor != _CLOSED:
            os.close(self.descriptor)
            self.descriptor = _CLOSED
            self.path.unlink(missing_ok=True)

    def __del__(self) -> None:
        self.close()


class Renditions:
    """A folder of renditions: `ab/<image id>/<version>-<fingerprint>.<extension>`.

    One folder an image, so that everything made of it can be dropped at once. Who empties the folder, or
    removes it, under a running service harms nothing. All methods but `path` block on the disk, so call
    them from a worker thread.

    Args:
        root: the folder.
        max_bytes: what it may hold. A rendition that has no room is not kept.
    """

    def __init__(self, root: Path, max_bytes: int) -> None:
        self._root = root
        self._max_bytes = max_bytes
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._usage = DiskUsage(root / LOCKS / "level")
        self._usage.add(0)
        self.locks = RenditionLocks(root / LOCKS)

    def path(self, image: UUID, version: int, fingerprint: str, extension: str) -> Path:
        """Where a rendition lies, if it was made."""
        return self._folder(image, f"{version}-{fingerprint}.{extension}")

    def find(self, path: Path) -> int | None:
        """The size of a rendition, which is about to be used; None if it has to be made."""
        try:
            found = path.stat()
            if found.st_mtime < time.time() - TOUCH_SECONDS:
                with suppress(PermissionError):
                    os.utime(path)
        except OSError:
            return None
        # Renditions are not synced: a power cut can leave an empty file, which counts as none.
        return found.st_size or None

    def put(self, path: Path, data: bytes) -> bool:
        """Put a rendition in place, whole or not at all. It is not synced: it can be made again.

        Returns:
            False if there is no room for it: see `needs_eviction`.

        Raises:
            OSError: it could not be kept; nothing of it is left.
        """
        if not self._has_room(len(data)):
            return False
        writer = self.open_writer(path)
        try:
            writer.write(data)
            writer.path.replace(path)
        finally:
            writer.close()
        self._usage.add(allocated_bytes(len(data)))
        return True

    def open_writer(self, path: Path) -> RenditionWriter:
        """A rendition to be written a piece at a time, then put in place by `keep`. Raises OSError."""
        return RenditionWriter(path.parent)

    def commit(self, path: Path, writer: RenditionWriter, size: int) -> bool:
        """As `put`, of what was written to the draft; it can still be read there.

        Raises:
            OSError: it could not be kept.
        """
        if not self._has_room(size):
            writer.path.unlink(missing_ok=True)
            return False
        writer.path.replace(path)
        self._usage.add(allocated_bytes(size))
        return True

    def needs_eviction(self) -> bool:
        """Whether `evict` is due: the cache is nearly full, or was not counted for long. Asks no disk."""
        return (
            self._usage.bytes > HIGH_WATER * self._max_bytes
            or time.time() - self._usage.counted_at > RECOUNT_SECONDS
        )

    @contextmanager
    def evicting(self) -> Iterator[Eviction | None]:
        """A pass that makes room, if no other process is at it."""
        with self.locks.hold(self._root / "eviction") as is_ours:
            yield Eviction(self._root, self._usage, self._max_bytes, time.time()) if is_ours else None

    def remove_image(self, image: UUID) -> list[CachedRendition]:
        """Drop everything made of an image; answers what that was."""
        folder = self._folder(image)
        found = [(path, _size(path)) for path in sorted(folder.glob("*"))]
        shutil.rmtree(folder, ignore_errors=True)
        self._usage.add(-sum(allocated_bytes(size) for _, size in found))
        return [kept for path, size in found if (kept := _parse_name(path.name, size))]

    def each(self) -> Iterator[UUID]:
        """The ids of the images that something was made of; files that are not ours are passed over."""
        for folder in self._root.glob("??/*"):
            with suppress(ValueError):
                yield UUID(folder.name)

    def abandoned(self, older_than_seconds: float) -> list[Path]:
        """Renditions that were never put in place, and by now will not be."""
        return durable.older_than(self._root.glob("??/*/new-*"), older_than_seconds)

    def _has_room(self, size: int) -> bool:
        if self._usage.bytes + allocated_bytes(size) > self._max_bytes:
            # Another process may have made room since we looked.
            self._usage.add(0)
        return self._usage.bytes + allocated_bytes(size) <= self._max_bytes

    def _folder(self, image: UUID, *name: str) -> Path:
        # The last bytes of a UUIDv7 are random; the first would put a day's images into one shard.
        return self._root.joinpath(image.hex[-2:], str(image), *name)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _parse_name(name: str, size: int) -> CachedRendition | None:
    match = _NAME.match(name)
    return CachedRendition(int(match[1]), match[2], match[3], size) if match else None


def _open_temporary(folder: Path) -> tuple[Path, int]:
    """A new file to write, and its descriptor."""
    descriptor, writer = in_folder(folder, lambda: tempfile.mkstemp(prefix="new-", dir=folder))
    return Path(writer), descriptor
