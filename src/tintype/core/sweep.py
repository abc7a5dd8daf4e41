"""Keeping records and bytes in step: what is wrong is found, what is left over is removed."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from enum import Enum, StrEnum, auto
from pathlib import Path
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from tintype.catalogue import images, library, usage
from tintype.catalogue.engine import Transaction
from tintype.core.house import House
from tintype.model import Error, Kind

ABANDONED_AFTER_SECONDS = 24 * 3600
"""No upload takes a day: a temporary file this old was left by a crash."""
BATCH = 1000
"""Records read in one transaction."""
TOO_MANY = 10
"""More unused originals than one in so many are no left-overs: something is wrong with the catalogue."""
CLOCK_SLACK_SECONDS = 1.0
"""How far the time of a file may be behind the time of the catalogue."""


class GcSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What `tintype gc` does with originals that no image has."""

    keep_days: Annotated[int, Meta(ge=0, le=36_500)] = 7
    """How many days originals that were set aside stay in the folder `removed` before they are deleted."""


class Fault(StrEnum):
    """What can be wrong between records and bytes."""

    BYTES_MISSING = "bytes-missing"
    BYTES_DAMAGED = "bytes-damaged"
    BYTES_SET_ASIDE = "bytes-set-aside"
    OBJECT_UNUSED = "object-unused"
    USAGE_WRONG = "usage-wrong"


class Finding(Struct, frozen=True):
    """One thing that is wrong: with an original, perhaps that of an image; or with what an account holds."""

    fault: Fault
    sha256: str = ""
    image: UUID | None = None
    account: str = ""


class Plan(Struct, frozen=True):
    """What a sweep would do, and why it should perhaps not; of `present` originals no image has `unused`."""

    present: int
    unused: list[str]
    rendition_folders: list[UUID]
    temporary_files: list[Path]
    expired: list[Path]
    doubt: str | None


class Swept(Struct, frozen=True):
    """What a sweep did: originals set aside, and those set aside earlier that it deleted or put back."""

    set_aside: int = 0
    deleted: int = 0
    put_back: int = 0
    rendition_folders: int = 0
    temporary_files: int = 0


class _Fate(Enum):
    """What became of an original that was set aside long enough ago; a damaged one that is needed is kept."""

    DELETED = auto()
    PUT_BACK = auto()
    KEPT = auto()


class Leftovers(Struct, frozen=True):
    """What waits to be deleted, and is no fault; `since` is when the oldest original was set aside."""

    removed: int
    removed_bytes: int
    since: datetime | None
    temporary_files: int


async def check(
    house: House, *, deep: bool = False, on_step: Callable[[], None] = lambda: None
) -> AsyncIterator[Finding]:
    """Every record that lacks its bytes, every original that lacks a record, every wrong sum of an account's.

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
    present = await house.workers.disk(lambda: list(house.originals.each()))
    async for sha256 in _unused(house, present, on_step):
        yield Finding(Fault.OBJECT_UNUSED, sha256)
    async with house.catalogue.read() as tx:
        miscounted = await usage.wrong(tx)
    for account in miscounted:
        yield Finding(Fault.USAGE_WRONG, account=account)


async def size(house: House) -> int:
    """How many steps `check` takes: images and originals together."""
    async with house.catalogue.read() as tx:
        records = await images.count(tx)
    return records + len(await house.workers.disk(lambda: list(house.originals.each())))


async def leftovers(house: House) -> Leftovers:
    """What was set aside, and what broken-off uploads and renditions left."""
    return await house.workers.disk(_leftovers, house)


async def plan(house: House, settings: GcSettings) -> Plan:
    """What a sweep would do now."""
    present = await house.workers.disk(lambda: list(house.originals.each()))
    unused = [sha256 async for sha256 in _unused(house, present)]
    renditions = await house.workers.disk(lambda: list(house.renditions.each()))
    before = house.clock() - timedelta(days=settings.keep_days)
    return Plan(
        present=len(present),
        unused=unused,
        rendition_folders=[image for image in renditions if await _is_gone(house, image)],
        temporary_files=await house.workers.disk(_abandoned, house),
        expired=await house.workers.disk(house.originals.removed.expired, before),
        doubt=await _doubt(house, unused, len(present)),
    )


async def sweep(house: House, plan: Plan, confirmed: int | None = None) -> Swept:
    """Set aside originals without a record; remove renditions of images that are gone, and temporary files.

    Sums of what accounts hold are set right if they are wrong. What was set aside long enough ago is deleted;
    what a record needs again is put back instead. Safe beside a running service: each step is checked inside
    a write transaction, and a rendition that goes too early is made again.

    Args:
        house: the house.
        plan: what to do.
        confirmed: so many originals are unused, says a person who knows that it is right.

    Raises:
        Error: CONFLICT when there is doubt about the plan and `confirmed` does not name the number of its
            unused originals, or while a backup runs. Nothing is removed then.
    """
    _confirm(plan, confirmed)
    with house.originals.removed.unless_held() as is_free:
        if not is_free:
            raise Error(Kind.CONFLICT, "A backup is running; try again when it has ended.")
        fates = Counter([await _forget(house, path) for path in plan.expired])
        set_aside = [await _set_aside(house, sha256) for sha256 in plan.unused]
        await house.workers.disk(_remove, house, plan.rendition_folders, plan.temporary_files)
    await _count_anew(house)
    return Swept(
        set_aside=sum(set_aside),
        deleted=fates[_Fate.DELETED],
        put_back=fates[_Fate.PUT_BACK],
        rendition_folders=len(plan.rendition_folders),
        temporary_files=len(plan.temporary_files),
    )


async def put_back(house: House) -> Counter[bool]:
    """Put back what was set aside and a record needs.

    Returns:
        How many originals were put back (True), and how many could not be, as they are damaged (False).
    """
    done: Counter[bool] = Counter()
    for path in await house.workers.disk(lambda: list(house.originals.removed.each())):
        async with house.catalogue.write() as tx:
            if await _is_needed(house, tx, path.name):
                done[await house.workers.disk(house.originals.put_back, path)] += 1
    return done


async def _doubt(house: House, unused: list[str], present: int) -> str | None:
    """Why so many originals can hardly be left over; None if they can.

    One unused original beside others that are in use is never too many: a crash leaves one.
    """
    async with house.catalogue.read() as tx:
        made_at = await library.made_at(tx)
    older = await house.workers.disk(_older, house, unused, made_at)
    if older:
        made = f"{made_at:%Y-%m-%d %H:%M} UTC"
        return f"{older} unused originals are older than the catalogue, which was made {made}."
    is_too_many = len(unused) > 1 and len(unused) * TOO_MANY > present
    if is_too_many or (unused and len(unused) == present):
        return f"{len(unused)} of {present} originals are unused: is this their catalogue?"
    return None


def _confirm(plan: Plan, confirmed: int | None) -> None:
    count = len(plan.unused)
    if confirmed is not None and confirmed != count:
        raise Error(Kind.CONFLICT, f"{count} originals are unused, not {confirmed}; nothing was removed.")
    if confirmed is None and plan.doubt:
        hint = f"Nothing was removed; `tintype gc --yes-remove {count}` would set them aside."
        raise Error(Kind.CONFLICT, f"{plan.doubt} {hint}")


async def _count_anew(house: House) -> None:
    # First without a lock that writers wait for: all images are counted.
    async with house.catalogue.read() as tx:
        is_right = not await usage.wrong(tx)
    if not is_right:
        async with house.catalogue.write() as tx:
            await usage.correct(tx)


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
        is_aside = house.originals.removed.find(sha256) is not None
        return Fault.BYTES_SET_ASIDE if is_aside else Fault.BYTES_MISSING
    if path.stat().st_size != size or (deep and house.originals.digest(sha256) != sha256):
        return Fault.BYTES_DAMAGED
    return None


def _older(house: House, originals: list[str], than: datetime) -> int:
    horizon = than.timestamp() - CLOCK_SLACK_SECONDS
    found = 0
    for sha256 in originals:
        with suppress(FileNotFoundError):
            found += house.originals.path(sha256).stat().st_mtime < horizon
    return found


def _leftovers(house: House) -> Leftovers:
    sizes = []
    for path in house.originals.removed.each():
        with suppress(FileNotFoundError):
            sizes.append(path.stat().st_size)
    return Leftovers(len(sizes), sum(sizes), house.originals.removed.oldest(), len(_abandoned(house)))


async def _set_aside(house: House, sha256: str) -> bool:
    """Inside a write transaction: nobody can record an image with these bytes meanwhile."""
    async with house.catalogue.write() as tx:
        if await images.refers(tx, sha256):
            return False
        await house.workers.disk(house.originals.set_aside, sha256, house.clock())
        return True


async def _forget(house: House, path: Path) -> _Fate:
    """Delete for good what was set aside, or put it back, as a record needs it."""
    async with house.catalogue.write() as tx:
        if await _is_needed(house, tx, path.name):
            is_back = await house.workers.disk(house.originals.put_back, path)
            return _Fate.PUT_BACK if is_back else _Fate.KEPT
        await house.workers.disk(house.originals.removed.forget, path)
        return _Fate.DELETED


async def _is_needed(house: House, tx: Transaction, sha256: str) -> bool:
    return await images.refers(tx, sha256) and not await house.workers.disk(house.originals.holds, sha256)


def _abandoned(house: House) -> list[Path]:
    files = house.originals.abandoned(ABANDONED_AFTER_SECONDS)
    return files + house.renditions.abandoned(ABANDONED_AFTER_SECONDS)


def _remove(house: House, folders: list[UUID], files: list[Path]) -> None:
    for image in folders:
        house.renditions.forget(image)
    for path in files:
        path.unlink(missing_ok=True)


async def _unused(
    house: House, originals: list[str], on_step: Callable[[], None] = lambda: None
) -> AsyncIterator[str]:
    """Those of some originals that no image has."""
    for first in range(0, len(originals), BATCH):
        batch = originals[first : first + BATCH]
        async with house.catalogue.read() as tx:
            used = await images.recorded(tx, batch)
        for sha256 in batch:
            on_step()
            if sha256 not in used and await _is_unused(house, sha256):
                yield sha256


async def _is_unused(house: House, sha256: str) -> bool:
    # Again where no upload can be half done: its bytes are there before its record is to be seen.
    async with house.catalogue.write() as tx:
        return not await images.refers(tx, sha256) and await house.workers.disk(house.originals.holds, sha256)


async def _is_gone(house: House, image: UUID) -> bool:
    async with house.catalogue.read() as tx:
        return not await images.exists(tx, image)
