"""The folder of a backup: each original once, and a snapshot of the rest for every run.

backup.json                  identifies the library
originals/ab/abcdef…         named by SHA-256, shared by all snapshots
snapshots/20261126T192103Z/  catalogue.sqlite3, link-keys.json, tintype.toml, manifest.json
incoming/                    files being written
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import msgspec
from msgspec import Struct

from tintype.storage import durable
from tintype.storage.copying import copy_verified
from tintype.storage.digest import digest_of
from tintype.storage.local import BlobFolder

INFO_FILE = "backup.json"
MANIFEST = "manifest.json"
ORIGINALS = "originals"
STAMP = "%Y%m%dT%H%M%S%fZ"


class InvalidBackup(Exception):
    """The folder contains no backup, or an unusable one; the message says which and why."""


class BackupInfo(Struct, frozen=True):
    """The library that a backup belongs to."""

    library: UUID
    format: int = 1


class Manifest(Struct, frozen=True):
    """The content of a snapshot: digests of its `files`, and totals of its catalogue.

    `missing` are the digests of originals that were missing in the library itself.
    """

    made_at: datetime
    tintype: str
    library: UUID
    schema: str
    images: int
    originals: int
    bytes: int
    files: dict[str, str]
    missing: tuple[str, ...] = ()


class Backup:
    """A folder with a backup, or a new one for it. All methods block on the disk.

    Attributes:
        root: the folder.
        incoming: the folder of files being written.
        originals: the originals in it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming = root / "incoming"
        self.originals = BlobFolder(root / ORIGINALS)
        self._snapshots = root / "snapshots"

    def about(self) -> BackupInfo | None:
        """The library this backup belongs to; None if the folder is missing or empty.

        Raises:
            InvalidBackup: when the folder contains something else.
        """
        try:
            return msgspec.json.decode((self.root / INFO_FILE).read_bytes(), type=BackupInfo)
        except FileNotFoundError:
            if not durable.is_empty(self.root):
                raise InvalidBackup(f"{self.root} is not empty, and holds no backup.") from None
            return None
        except msgspec.DecodeError as broken:
            raise InvalidBackup(f"{self.root / INFO_FILE} can't be read: {broken}.") from broken

    @contextmanager
    def writing(self, library: UUID) -> Iterator[None]:
        """Hold the backup's exclusive lock while the block writes to it; a new backup is created.

        Raises:
            InvalidBackup: when it belongs to another library, or another process is writing to it.
        """
        about = self.about()
        if about is not None and about.library != library:
            raise InvalidBackup(f"{self.root} holds a backup of another library.")
        self._make(library, is_new=about is None)
        with self._exclusive():
            shutil.rmtree(self.incoming, ignore_errors=True)
            durable.make_folder(self.incoming)
            yield

    def keep(self, source: BinaryIO, sha256: str) -> None:
        """Copy an original into the backup; call `sync` after the last one.

        Raises:
            DigestMismatch: when the source does not match its digest; no copy is left.
        """
        target = self.originals.path(sha256)
        durable.make_folder(target.parent)
        copy_verified(source, self.incoming / sha256, target, sha256)

    def remove(self, sha256: str) -> None:
        """Delete an original from the backup; call `sync` after the last one."""
        self.originals.path(sha256).unlink()

    def sync(self) -> None:
        """Fsync the folders of all originals."""
        for folder in (self.root / ORIGINALS).glob("??"):
            durable.sync_folder(folder)

    def new_snapshot(self) -> Path:
        """A temporary folder to fill and then `publish`."""
        folder = self.incoming / "snapshot"
        folder.mkdir(mode=0o700)
        return folder

    def publish(self, folder: Path, manifest: Manifest) -> str:
        """Make a filled folder the newest snapshot, atomically; returns its name."""
        text = msgspec.json.format(msgspec.json.encode(manifest))
        durable.write_private(folder / MANIFEST, text + b"\n")
        name = f"{manifest.made_at.astimezone(UTC):{STAMP}}"
        folder.rename(self._snapshots / name)
        durable.sync_folder(self._snapshots)
        return name

    def snapshots(self) -> list[str]:
        """The names of all snapshots, oldest first."""
        if not self._snapshots.is_dir():
            return []
        return sorted(path.parent.name for path in self._snapshots.glob(f"*/{MANIFEST}"))

    def snapshot(self, name: str) -> Path:
        """The folder of a snapshot."""
        return self._snapshots / name

    def manifest(self, name: str) -> Manifest:
        """The manifest of a snapshot, whose files are verified against it.

        Raises:
            InvalidBackup: when a file is missing or damaged.
        """
        folder = self.snapshot(name)
        try:
            manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
            wrong = [file for file, sha256 in manifest.files.items() if digest_of(folder / file) != sha256]
        except (OSError, msgspec.DecodeError) as broken:
            raise InvalidBackup(f"The snapshot {name} can't be read: {broken}.") from broken
        if wrong:
            raise InvalidBackup(f"The snapshot {name} is damaged: {', '.join(wrong)} has changed.")
        return manifest

    def forget(self, name: str) -> None:
        """Remove a snapshot: its manifest first, so that a partly removed snapshot is not listed."""
        (self.snapshot(name) / MANIFEST).unlink()
        shutil.rmtree(self.snapshot(name))

    def _make(self, library: UUID, *, is_new: bool) -> None:
        durable.make_folder(self.root)
        if is_new:
            durable.write_private(self.root / INFO_FILE, msgspec.json.encode(BackupInfo(library)))
        for folder in (self.root / ORIGINALS, self._snapshots):
            durable.make_folder(folder)

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        descriptor = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not durable.try_lock(descriptor, fcntl.LOCK_EX):
                raise InvalidBackup(f"Another process writes to the backup in {self.root}.")
            yield
        finally:
            os.close(descriptor)
