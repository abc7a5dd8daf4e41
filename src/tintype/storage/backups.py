"""The folder of a backup: originals once each, and a snapshot for every time it was made.

backup.json                  of which library it is
originals/ab/abcdef…         under their SHA-256, shared by all snapshots
snapshots/20261126T192103Z/  catalogue.sqlite3, link-keys.json, tintype.toml, manifest.json
incoming/                    what is being written
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import msgspec
from msgspec import Struct

from tintype.storage import durable
from tintype.storage.copying import copy_verified
from tintype.storage.digest import digest_of
from tintype.storage.originals import digests

ABOUT = "backup.json"
MANIFEST = "manifest.json"
STAMP = "%Y%m%dT%H%M%S%fZ"


class NoBackup(Exception):  # noqa: N818  it is for the caller to say where one is
    """The folder holds no backup, or one that can't be used; the text says which and why."""


class About(Struct, frozen=True):
    """Of which library a backup is."""

    library: UUID
    format: int = 1


class Manifest(Struct, frozen=True):
    """What a snapshot is of: the digests of its `files`, and what its catalogue counts.

    `missing` are the digests of originals that the library itself had lost.
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
    """A folder that holds a backup, or may become one. All methods block on the disk."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming = root / "incoming"
        self._originals = root / "originals"
        self._snapshots = root / "snapshots"

    def about(self) -> About | None:
        """Of which library this is a backup; None if the folder is new or empty.

        Raises:
            NoBackup: when it holds something else.
        """
        try:
            return msgspec.json.decode((self.root / ABOUT).read_bytes(), type=About)
        except FileNotFoundError:
            if not durable.is_empty(self.root):
                raise NoBackup(f"{self.root} is not empty, and holds no backup.") from None
            return None
        except msgspec.DecodeError as broken:
            raise NoBackup(f"{self.root / ABOUT} can't be read: {broken}.") from broken

    @contextmanager
    def writing(self, library: UUID) -> Iterator[None]:
        """Write to the backup of a library, alone; it is made if it is new.

        Raises:
            NoBackup: when it is another library's, or another process writes to it.
        """
        about = self.about()
        if about is not None and about.library != library:
            raise NoBackup(f"{self.root} holds a backup of another library.")
        self._make(library, is_new=about is None)
        with self._exclusive():
            shutil.rmtree(self.incoming, ignore_errors=True)
            durable.make_folder(self.incoming)
            yield

    def original(self, sha256: str) -> Path:
        """Where an original lies, if it is here."""
        return self._originals / sha256[:2] / sha256

    def keep(self, source: Path, sha256: str) -> None:
        """Copy an original here; call `sync` when all are here.

        Raises:
            Damaged: when it is not what its digest says; nothing is kept then.
        """
        target = self.original(sha256)
        durable.make_folder(target.parent)
        copy_verified(source, self.incoming / sha256, target, sha256)

    def sync(self) -> None:
        """Make the names of all originals durable."""
        for folder in self._originals.glob("??"):
            durable.sync_folder(folder)

    def new_snapshot(self) -> Path:
        """A folder to fill and then `publish`."""
        folder = self.incoming / "snapshot"
        folder.mkdir(mode=0o700)
        return folder

    def publish(self, folder: Path, manifest: Manifest) -> str:
        """Make a filled folder the newest snapshot, whole or not at all; answers its name."""
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
        """What a snapshot is of, once its files are found to be what it says.

        Raises:
            NoBackup: when they are not.
        """
        folder = self.snapshot(name)
        try:
            manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
            wrong = [file for file, sha256 in manifest.files.items() if digest_of(folder / file) != sha256]
        except (OSError, msgspec.DecodeError) as broken:
            raise NoBackup(f"The snapshot {name} can't be read: {broken}.") from broken
        if wrong:
            raise NoBackup(f"The snapshot {name} is damaged: {', '.join(wrong)} has changed.")
        return manifest

    def forget(self, name: str) -> None:
        """Remove a snapshot: from when on it is half gone, it is none."""
        (self.snapshot(name) / MANIFEST).unlink()
        shutil.rmtree(self.snapshot(name))

    def originals(self) -> Iterator[str]:
        """The digests of all originals here."""
        return digests(self._originals)

    def _make(self, library: UUID, *, is_new: bool) -> None:
        durable.make_folder(self.root)
        if is_new:
            durable.write_private(self.root / ABOUT, msgspec.json.encode(About(library)))
        for folder in (self._originals, self._snapshots):
            durable.make_folder(folder)

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        descriptor = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._lock(descriptor)
            yield
        finally:
            os.close(descriptor)

    def _lock(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NoBackup(f"Another process writes to the backup in {self.root}.") from None
