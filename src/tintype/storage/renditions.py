"""Renditions in a folder: a cache that may be emptied at any time."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from tintype.storage import durable


class Renditions:
    """A folder of renditions: `ab/<image id>/<version>-<fingerprint>.<extension>`.

    One folder an image, so that everything made of it can be dropped at once. All methods but `path`
    block on the disk, so call them from a worker thread.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)

    def path(self, image: UUID, version: int, fingerprint: str, extension: str) -> Path:
        """Where a rendition lies, if it was made."""
        return self._folder(image) / f"{version}-{fingerprint}.{extension}"

    def put(self, path: Path, data: bytes) -> None:
        """Put a rendition in place, whole or not at all. It is not synced: it can be made again."""
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(prefix="new-", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        Path(draft).replace(path)

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
