"""Temporary files that were left behind by processes that were killed while they wrote them."""

import time
from contextlib import suppress
from pathlib import Path


class AbandonedFiles:
    """The old ones of the temporary files in a folder: nobody writes to them any more. All methods block.

    Args:
        root: the folder.
        pattern: what temporary files in it match, as in `Path.glob`.
    """

    def __init__(self, root: Path, pattern: str) -> None:
        self._root = root
        self._pattern = pattern

    def count(self, older_than_seconds: float) -> int:
        """How many were last modified so long ago."""
        return len(self._older_than(older_than_seconds))

    def remove(self, older_than_seconds: float) -> int:
        """Remove them; returns how many there were."""
        removed = 0
        for path in self._older_than(older_than_seconds):
            with suppress(FileNotFoundError):
                path.unlink()
                removed += 1
        return removed

    def _older_than(self, seconds: float) -> list[Path]:
        horizon = time.time() - seconds
        older = []
        for path in self._root.glob(self._pattern):
            # Others end, and remove their files, meanwhile.
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < horizon:
                    older.append(path)
        return older
