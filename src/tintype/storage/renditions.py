"""Renditions in a folder: a cache that may be emptied at any time."""

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from tintype.storage import durable
from tintype.storage.claims import Claims

LOCKS = ".locks"
"""The folder of the lock files, beside those of the renditions."""
TRIES = 10
TOUCHED_EVERY = 30.0
"""Seconds after which a rendition that is used again is marked as used: its time of change says when."""


class Renditions:
    """A folder of renditions: `ab/<image id>/<version>-<fingerprint>.<extension>`.

    One folder an image, so that everything made of it can be dropped at once. Who empties the folder, or
    removes it, under a running service harms nothing. All methods but `path` block on the disk, so call
    them from a worker thread.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)
        self.claims = Claims(root / LOCKS)

    def path(self, image: UUID, version: int, fingerprint: str, extension: str) -> Path:
        """Where a rendition lies, if it was made."""
        return self._folder(image) / f"{version}-{fingerprint}.{extension}"

    def find(self, path: Path) -> int | None:
        """The size of a rendition, which is about to be used; None if it has to be made."""
        try:
            found = path.stat()
            if found.st_mtime < time.time() - TOUCHED_EVERY:
                with suppress(PermissionError):
                    os.utime(path)
        except OSError:
            return None
        # Renditions are not synced: a power cut can leave an empty file, which counts as none.
        return found.st_size or None

    def put(self, path: Path, data: bytes) -> None:
        """Put a rendition in place, whole or not at all. It is not synced: it can be made again.

        Raises:
            OSError: it could not be kept; nothing of it is left.
        """
        draft, descriptor = _open_draft(path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise

    def forget(self, image: UUID) -> None:
        """Drop everything made of an image."""
        shutil.rmtree(self._folder(image), ignore_errors=True)

    def each(self) -> Iterator[UUID]:
        """The ids of the images that something was made of; files that are not ours are passed over."""
        for folder in self._root.glob("??/*"):
            with suppress(ValueError):
                yield UUID(folder.name)

    def abandoned(self, older_than_seconds: float) -> list[Path]:
        """Renditions that were never put in place, and by now will not be."""
        return durable.older(self._root.glob("??/*/new-*"), older_than_seconds)

    def _folder(self, image: UUID) -> Path:
        # The last bytes of a UUIDv7 are random; the first would put a day's images into one shard.
        return self._root / image.hex[-2:] / str(image)


def _open_draft(folder: Path) -> tuple[Path, int]:
    """A new file to write, and its descriptor."""
    for _ in range(TRIES):
        folder.mkdir(parents=True, exist_ok=True)
        # Whoever empties the cache may take the folder away again at once.
        with suppress(FileNotFoundError):
            descriptor, draft = tempfile.mkstemp(prefix="new-", dir=folder)
            return Path(draft), descriptor
    raise OSError(errno.EBUSY, "The folder is removed again and again", str(folder))
