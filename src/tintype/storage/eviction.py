"""Eviction from the rendition cache: least recently used first."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from tintype.storage.disk_usage import DiskUsage, allocated_bytes

HIGH_WATER, LOW_WATER = 0.95, 0.90
"""Fractions of the size limit: eviction starts above the first and stops at the second."""
MINUTE = 60
"""Granularity of last use, in seconds: files used within the same minute are removed in any order."""
PROTECTED_SECONDS = 60
"""Files used more recently than this are not removed. The time of last use is updated every 30 seconds, so
files about to be sent are safe."""
PROTECTED_SECONDS_WHEN_FULL = 5
"""The same when the disk is full: rendering a file again is better than refusing an upload."""


class Eviction:
    """One pass: `count` every shard, `plan`, then `remove` from every shard. All block on the disk.

    It keeps bytes per minute of last use instead of a list of files, so memory does not grow with the cache.

    Args:
        root: the cache: `shard/image/rendition`.
        usage: the counter of bytes on disk, which is corrected by the count.
        max_bytes: the size limit of the cache.
        now: Unix time.

    Attributes:
        shards: the folders to visit.
        files: number of files removed.
        bytes: bytes freed.
    """

    def __init__(self, root: Path, usage: DiskUsage, max_bytes: int, now: float) -> None:
        self._usage = usage
        self._max_bytes = max_bytes
        usage.add(0)
        self._before = usage.bytes
        self._now = now
        self._used: Counter[int] = Counter()
        self._last_minute = -1
        self._quota = 0
        self._protected_from = now - PROTECTED_SECONDS
        self.shards = sorted(root.glob("??"))
        self.files = 0
        self.bytes = 0

    def count(self, shard: Path) -> None:
        """Add up the files of a shard."""
        for entry in _renditions(shard):
            with suppress(FileNotFoundError):
                stat = entry.stat()
                self._used[int(stat.st_mtime) // MINUTE] += allocated_bytes(stat.st_size)

    def plan(self, to_free: int = 0) -> bool:
        """Correct `usage` by the count, and choose what to remove; returns whether there is anything.

        Args:
            to_free: bytes to free even if the cache is below its limit.
        """
        total = self._used.total()
        # Files added during the count may be counted twice, but never missed.
        self._usage.add(total - self._before, int(self._now))
        if total > HIGH_WATER * self._max_bytes:
            to_free = max(to_free, total - int(LOW_WATER * self._max_bytes))
        elif to_free:
            self._protected_from = self._now - PROTECTED_SECONDS_WHEN_FULL
        self._last_minute, self._quota = horizon(self._used, to_free)
        return to_free > 0

    def remove(self, shard: Path) -> None:
        """Remove the least recently used files of a shard, as planned."""
        freed = 0
        for entry in _renditions(shard):
            with suppress(FileNotFoundError):
                freed += self._remove(entry)
        self._usage.add(-freed)
        self.bytes += freed
        for folder in _folders(shard):
            # Fails for folders that are not empty.
            with suppress(OSError):
                Path(folder).rmdir()

    def _remove(self, entry: "os.DirEntry[str]") -> int:
        # Stat again: it may have been used since it was counted.
        stat = entry.stat()
        minute, size = int(stat.st_mtime) // MINUTE, allocated_bytes(stat.st_size)
        if minute > self._last_minute or stat.st_mtime > self._protected_from:
            return 0
        if minute == self._last_minute:
            if self._quota <= 0:
                return 0
            self._quota -= size
        Path(entry).unlink()
        self.files += 1
        return size


def horizon(used: Mapping[int, int], to_free: int) -> tuple[int, int]:
    """The last minute to evict, and how many bytes of that minute, to free `to_free` bytes; pure.

    Args:
        used: bytes by the minute of last use.
        to_free: bytes to free.
    """
    remaining = to_free
    for minute in sorted(used):
        if remaining <= used[minute]:
            return minute, remaining
        remaining -= used[minute]
    return max(used, default=-1), max(0, remaining)


def _renditions(shard: Path) -> Iterator["os.DirEntry[str]"]:
    for folder in _folders(shard):
        with suppress(OSError), os.scandir(folder) as entries:
            yield from (entry for entry in entries if entry.is_file(follow_symlinks=False))


def _folders(shard: Path) -> Iterator["os.DirEntry[str]"]:
    """The folders of images; other files are skipped."""
    with suppress(OSError), os.scandir(shard) as entries:
        for entry in entries:
            with suppress(ValueError):
                UUID(entry.name)
                yield entry
