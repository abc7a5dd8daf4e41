"""Making room in the cache: what was used longest ago goes first."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from tintype.storage.disk_usage import DiskUsage, allocated_bytes

HIGH_WATER, LOW_WATER = 0.95, 0.90
"""Parts of what may be held: over the first room is made, down to the second."""
MINUTE = 60
"""Seconds that are one moment here: what was used in the same is removed in any order."""
PROTECTED_SECONDS = 60
"""How long ago something has to be used to be removed. What is used is marked every 30 seconds, so nothing
that somebody is about to send is among it."""
PROTECTED_SECONDS_WHEN_FULL = 5
"""The same where the disk is full: what is made anew now and then is better than an upload refused."""


class Eviction:
    """One pass: `count` every shard, `plan`, then `remove` from every shard. All block on the disk.

    It remembers bytes by minute, and no files, so a cache of any size needs little memory.

    Args:
        root: the folder of shards, of folders of images, of renditions.
        level: the count of bytes, which is put right by the way.
        max_bytes: what may be held.
        now: Unix time.

    Attributes:
        shards: the folders to go through.
        files: how many were removed.
        bytes: how many bytes that were.
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
        """Count what a shard holds."""
        for entry in _renditions(shard):
            with suppress(FileNotFoundError):
                found = entry.stat()
                self._used[int(found.st_mtime) // MINUTE] += allocated_bytes(found.st_size)

    def plan(self, to_free: int = 0) -> bool:
        """Tell the level what was counted; answers whether something has to go.

        Args:
            to_free: bytes that have to go, whether the cache is full or not.
        """
        total = self._used.total()
        # What was put meanwhile was added to the level, and partly counted too: rather twice than never.
        self._usage.add(total - self._before, int(self._now))
        if total > HIGH_WATER * self._max_bytes:
            to_free = max(to_free, total - int(LOW_WATER * self._max_bytes))
        elif to_free:
            self._protected_from = self._now - PROTECTED_SECONDS_WHEN_FULL
        self._last_minute, self._quota = horizon(self._used, to_free)
        return to_free > 0

    def remove(self, shard: Path) -> None:
        """Remove from a shard what was used longest ago."""
        freed = 0
        for entry in _renditions(shard):
            with suppress(FileNotFoundError):
                freed += self._remove(entry)
        self._usage.add(-freed)
        self.bytes += freed
        for folder in _folders(shard):
            # Those that are not empty stay.
            with suppress(OSError):
                Path(folder).rmdir()

    def _remove(self, entry: "os.DirEntry[str]") -> int:
        # Looked at again: it may have been used since it was counted.
        found = entry.stat()
        minute, size = int(found.st_mtime) // MINUTE, allocated_bytes(found.st_size)
        if minute > self._last_minute or found.st_mtime > self._protected_from:
            return 0
        if minute == self._last_minute:
            if self._quota <= 0:
                return 0
            self._quota -= size
        Path(entry).unlink()
        self.files += 1
        return size


def horizon(used: Mapping[int, int], to_free: int) -> tuple[int, int]:
    """Which minute to go up to, and how many bytes of that last one, to free so many bytes; pure.

    Args:
        used: bytes by the minute of their last use.
        to_free: bytes.
    """
    left = to_free
    for minute in sorted(used):
        if left <= used[minute]:
            return minute, left
        left -= used[minute]
    return max(used, default=-1), max(0, left)


def _renditions(shard: Path) -> Iterator["os.DirEntry[str]"]:
    for folder in _folders(shard):
        with suppress(OSError), os.scandir(folder) as entries:
            yield from (entry for entry in entries if entry.is_file(follow_symlinks=False))


def _folders(shard: Path) -> Iterator["os.DirEntry[str]"]:
    """The folders of images; what is not ours is passed over."""
    with suppress(OSError), os.scandir(shard) as entries:
        for entry in entries:
            with suppress(ValueError):
                UUID(entry.name)
                yield entry
