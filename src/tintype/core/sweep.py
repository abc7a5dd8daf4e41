"""Keeping records and bytes in step: what is wrong is found, what is left over is removed."""

from collections.abc import AsyncIterator, Callable
from enum import StrEnum
from pathlib import Path
from uuid import UUID

from msgspec import Struct

from tintype.catalogue import images
from tintype.core.house import House
from tintype.core.retire import drop_unused

ABANDONED_AFTER_SECONDS = 24 * 3600
"""No upload takes a day: a temporary file this old was left by a crash."""
BATCH = 1000
"""Records read in one transaction."""


class Fault(StrEnum):
    """What can be wrong between records and bytes."""

    BYTES_MISSING = "bytes-missing"
    BYTES_DAMAGED = "bytes-damaged"
    OBJECT_UNUSED = "object-unused"


class Finding(Struct, frozen=True):
    """One thing that is wrong; `image` is the record, if there is one."""

    fault: Fault
    sha256: str
    image: UUID | None = None


class Swept(Struct, frozen=True):
    """What a sweep removed."""

    originals: int
    rendition_folders: int
    temporary_files: int


async def check(
    house: House, *, deep: bool = False, on_step: Callable[[], None] = lambda: None
) -> AsyncIterator[Finding]:
    """Every record that lacks its bytes, and every original that lacks a record.

    Beside a running service, an original may be told of whose last image is being deleted just then.

    Args:
        house: the house.
        deep: also read every original again and compare its digest.
        on_step: called once an image and once an original, to show progress.
    """
    async for image, sha256, size in _records(house):
        fault = await house.workers.disk(_fault, house, sha256, size, deep=deep)
        on_step()
        # Deleted since: the record was gone before its bytes.
        if fault is not None and not await _is_gone(house, image):
            yield Finding(fault, sha256, image)
    for sha256 in await house.workers.disk(lambda: list(house.originals.each())):
        on_step()
        if await _is_unused(house, sha256):
            yield Finding(Fault.OBJECT_UNUSED, sha256)


async def size(house: House) -> int:
    """How many steps `check` takes: images and originals together."""
    async with house.catalogue.read() as tx:
        records = await images.count(tx)
    return records + len(await house.workers.disk(lambda: list(house.originals.each())))


async def sweep(house: House, *, dry_run: bool = False) -> Swept:
    """Remove originals without a record, renditions of images that are gone, and abandoned temporary files.

    Safe beside a running service: each removal is checked inside a write transaction, and a rendition
    that goes too early is made again.
    """
    originals = [
        sha
        for sha in await house.workers.disk(lambda: list(house.originals.each()))
        if await _is_unused(house, sha)
    ]
    folders = [
        image
        for image in await house.workers.disk(lambda: list(house.renditions.each()))
        if await _is_gone(house, image)
    ]
    files = await house.workers.disk(_abandoned, house)
    if dry_run:
        return Swept(len(originals), len(folders), len(files))
    dropped = [await drop_unused(house, sha256) for sha256 in originals]
    await house.workers.disk(_remove, house, folders, files)
    return Swept(sum(dropped), len(folders), len(files))


async def _records(house: House) -> AsyncIterator[tuple[UUID, str, int]]:
    """Id, digest and size of every image, in short transactions: none is held while files are read."""
    last = 0
    while True:
        async with house.catalogue.read() as tx:
            batch = await images.originals(tx, last, BATCH)
        for last, image, sha256, size in batch:  # noqa: B007  where the next batch begins
            yield image, sha256, size
        if len(batch) < BATCH:
            return


def _fault(house: House, sha256: str, size: int, *, deep: bool) -> Fault | None:
    path = house.originals.path(sha256)
    if not path.is_file():
        return Fault.BYTES_MISSING
    if path.stat().st_size != size or (deep and house.originals.digest(sha256) != sha256):
        return Fault.BYTES_DAMAGED
    return None


def _abandoned(house: House) -> list[Path]:
    files = house.originals.abandoned(ABANDONED_AFTER_SECONDS)
    return files + house.renditions.abandoned(ABANDONED_AFTER_SECONDS)


def _remove(house: House, folders: list[UUID], files: list[Path]) -> None:
    for image in folders:
        house.renditions.forget(image)
    for path in files:
        path.unlink(missing_ok=True)


async def _is_unused(house: House, sha256: str) -> bool:
    async with house.catalogue.read() as tx:
        if await images.refers(tx, sha256):
            return False
    # Again where no upload can be half done: its bytes are there before its record is to be seen.
    async with house.catalogue.write() as tx:
        return not await images.refers(tx, sha256) and await house.workers.disk(house.originals.holds, sha256)


async def _is_gone(house: House, image: UUID) -> bool:
    async with house.catalogue.read() as tx:
        return not await images.exists(tx, image)
