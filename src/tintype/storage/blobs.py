"""Blobs: bytes by key, never changed once they are stored. What a store of originals has to offer.

The key of an original is the SHA-256 of its bytes, in lower-case hexadecimal. Local folders (`local`) and
object stores can implement it: nothing is renamed, appended to or locked. All methods but `local_path`
block on a disk or a network, so call them from a worker thread.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import BinaryIO, Protocol

from msgspec import Struct

from tintype.storage.digest import digest_of_file
from tintype.storage.staging import Staged


class BlobStat(Struct, frozen=True):
    """The size of a blob in bytes, and when it was stored."""

    size: int
    modified_at: datetime


class RemovedBlob(Struct, frozen=True):
    """A blob in the trash, of `size` bytes.

    `removed_at` is when it was set aside; None: its deletion was postponed.
    """

    key: str
    removed_at: datetime | None
    size: int


class BlobReader(Protocol):
    """Reads blobs. A missing one raises `FileNotFoundError`."""

    def open(self, key: str) -> BinaryIO:
        """The blob as an open file, which has a descriptor and stays readable when the blob is deleted."""

    def read_range(self, key: str, start: int, size: int) -> bytes:
        """Up to `size` bytes from offset `start`; fewer at the end of the blob."""

    def local_path(self, key: str) -> str | None:
        """The path of the file, whether it exists or not; None: the store has no local files."""


class Trash(Protocol):
    """Blobs that were set aside and are kept for a while, and those whose deletion is postponed."""

    def open(self, key: str) -> BinaryIO:
        """The newest blob of this key in the trash, as an open file.

        Raises:
            FileNotFoundError: when there is none.
        """

    def each(self) -> Iterator[RemovedBlob]:
        """All blobs in the trash."""

    def delete(self, removed: RemovedBlob) -> None:
        """Delete one of `each` permanently; no error if it is gone."""

    def postpone_deletes(self) -> AbstractContextManager[bool]:
        """Postpone all permanent deletes while the block runs, in every process.

        Yields False if they are postponed or allowed by another block. At the end the postponed ones are
        carried out.
        """

    def allow_deletes(self) -> AbstractContextManager[bool]:
        """Yields False if deletes are postponed now; if not, they won't be before the block ends."""


class Blobs(BlobReader, Protocol):
    """A store of blobs, with a trash. Changes are durable on return; readers see all of a blob or nothing."""

    @property
    def trash(self) -> Trash:
        """The trash of this store."""

    def stat(self, key: str) -> BlobStat | None:
        """The size and time of a blob; None if there is none."""

    def put(self, staged: Staged) -> None:
        """Store sealed bytes under their digest; the same bytes again replace those that are there.

        Raises:
            InsufficientStorage: when the disk can't be written to.
        """

    def delete(self, key: str) -> None:
        """Delete a blob, or move it to the trash while deletes are postponed; no error if there is none."""

    def set_aside(self, key: str, now: datetime) -> None:
        """Move a blob to the trash; no error if there is none."""

    def put_back(self, removed: RemovedBlob) -> bool:
        """Store a blob of the trash again; False if it is damaged, and stays there."""

    def list(self) -> Iterator[str]:
        """The keys of all blobs, in no particular order."""


def digest(blobs: BlobReader, key: str) -> str:
    """The SHA-256 of a blob as it is now; differs from its key if it is damaged.

    Raises:
        FileNotFoundError: when there is none.
    """
    with blobs.open(key) as file:
        return digest_of_file(file)
