"""`tintype gc`: sets aside or removes what is unused, once that is not doubtful."""

from collections import Counter
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from tintype.catalogue import images, library, usage
from tintype.core.library.originals import remove_unused
from tintype.core.services import Services
from tintype.core.upkeep.unused import abandoned, remove_abandoned, unused_originals, without_record
from tintype.model import Conflict
from tintype.storage.blobs import RemovedBlob

TOO_MANY = 10
"""If more than one in so many originals is unused, the catalogue is probably wrong."""
CLOCK_SLACK = timedelta(seconds=1)
"""How far the time of a file may be before the time of the catalogue."""


class GcSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What `tintype gc` does with originals that no image has."""

    keep_days: Annotated[int, Meta(ge=0, le=36_500)] = 7
    """How many days unused originals stay in the folder `removed` before they are deleted."""


class GcPlan(Struct, frozen=True):
    """What a garbage collection would do. `doubt` is the reason to confirm it first; None: there is none."""

    present: int
    unused: list[str]
    rendition_folders: list[UUID]
    temporary_files: int
    expired: list[RemovedBlob]
    doubt: str | None


class GcResult(Struct, frozen=True):
    """What a garbage collection did; `deleted` and `put_back` were set aside earlier."""

    set_aside: int = 0
    deleted: int = 0
    put_back: int = 0
    rendition_folders: int = 0
    temporary_files: int = 0


class _Disposition(Enum):
    """What was done with an original that was set aside long enough; KEPT: it is needed, but damaged."""

    DELETED = auto()
    PUT_BACK = auto()
    KEPT = auto()


async def plan_gc(services: Services, settings: GcSettings) -> GcPlan:
    """What a garbage collection would do now."""
    present = await services.workers.disk(lambda: list(services.originals.list()))
    unused = [sha256 async for sha256 in unused_originals(services, present)]
    renditions = await services.workers.disk(lambda: list(services.renditions.each()))
    before = services.clock() - timedelta(days=settings.keep_days)
    return GcPlan(
        present=len(present),
        unused=unused,
        rendition_folders=await without_record(services, renditions),
        temporary_files=await services.workers.disk(abandoned, services),
        expired=await services.workers.disk(_expired, services, before),
        doubt=await _removal_doubt(services, unused, len(present)),
    )


async def collect_garbage(services: Services, plan: GcPlan, confirmed: int | None = None) -> GcResult:
    """Set aside originals without a record; remove renditions of images that are gone, and temporary files.

    Wrong usages of accounts are recounted. Originals that were set aside long enough ago are deleted, or put
    back if a record needs them again. Safe beside a running service: an original is leased before it is set
    aside, and a rendition that is removed too early is made again.

    Args:
        plan: what to do.
        confirmed: the number of unused originals, if the operator has confirmed it.

    Raises:
        Conflict: when the plan is doubtful and `confirmed` is not the number of its unused originals, or
            while a backup runs. Nothing is removed then.
    """
    _confirm(plan, confirmed)
    with services.originals.trash.allow_deletes() as is_free:
        if not is_free:
            raise Conflict("A backup is running; try again when it has ended.")
        dispositions = Counter([await _delete_or_put_back(services, each) for each in plan.expired])
        set_aside = [await _set_aside(services, sha256) for sha256 in plan.unused]
        temporary_files = await services.workers.disk(_remove, services, plan.rendition_folders)
    await _recount_usage(services)
    return GcResult(
        set_aside=sum(set_aside),
        deleted=dispositions[_Disposition.DELETED],
        put_back=dispositions[_Disposition.PUT_BACK],
        rendition_folders=len(plan.rendition_folders),
        temporary_files=temporary_files,
    )


async def restore_removed(services: Services) -> Counter[bool]:
    """Put back the originals that were set aside and that a record needs.

    Returns:
        How many originals were put back (True), and how many could not be, as they are damaged (False).
    """
    done: Counter[bool] = Counter()
    for each in await services.workers.disk(lambda: list(services.originals.trash.each())):
        is_back = await _put_back(services, each)
        if is_back is not None:
            done[is_back] += 1
    return done


async def _removal_doubt(services: Services, unused: list[str], present: int) -> str | None:
    """Why it is doubtful that so many originals are unused; None if it is not.

    A single unused original beside used ones is never doubtful: a crash leaves one.
    """
    made_at = await services.catalogue.read(library.made_at)
    older = await services.workers.disk(_count_older, services, unused, made_at)
    if older:
        created = f"{made_at:%Y-%m-%d %H:%M} UTC"
        return f"{older} unused originals are older than the catalogue, which was made {created}."
    is_too_many = len(unused) > 1 and len(unused) * TOO_MANY > present
    if is_too_many or (unused and len(unused) == present):
        return f"{len(unused)} of {present} originals are unused: is this their catalogue?"
    return None


def _confirm(plan: GcPlan, confirmed: int | None) -> None:
    count = len(plan.unused)
    if confirmed is not None and confirmed != count:
        raise Conflict(f"{count} originals are unused, not {confirmed}; nothing was removed.")
    if confirmed is None and plan.doubt:
        hint = f"Nothing was removed; `tintype gc --yes-remove {count}` would set them aside."
        raise Conflict(f"{plan.doubt} {hint}")


async def _recount_usage(services: Services) -> None:
    # Check without the write lock first: it counts all images.
    if await services.catalogue.read(usage.mismatches):
        await services.catalogue.write(usage.repair)


def _count_older(services: Services, originals: list[str], than: datetime) -> int:
    horizon = than - CLOCK_SLACK
    stats = map(services.originals.stat, originals)
    return sum(stat is not None and stat.modified_at < horizon for stat in stats)


def _expired(services: Services, before: datetime) -> list[RemovedBlob]:
    """What was set aside before a time, and deletes that a killed backup has postponed."""
    return [each for each in services.originals.trash.each() if (each.removed_at or before) <= before]


async def _set_aside(services: Services, sha256: str) -> bool:
    now = services.clock()
    return await remove_unused(services, sha256, lambda key: services.originals.set_aside(key, now))


async def _delete_or_put_back(services: Services, each: RemovedBlob) -> _Disposition:
    """Delete an original that was set aside, or put it back if a record needs it."""
    is_back = await _put_back(services, each)
    if is_back is None:
        await services.workers.disk(services.originals.trash.delete, each)
        return _Disposition.DELETED
    return _Disposition.PUT_BACK if is_back else _Disposition.KEPT


async def _put_back(services: Services, each: RemovedBlob) -> bool | None:
    """Put back an original if a record needs it; False if it is damaged, None if none needs it."""
    is_referenced = await services.catalogue.read(images.is_referenced, each.key)
    if not is_referenced or await services.workers.disk(services.originals.stat, each.key) is not None:
        return None
    return await services.workers.disk(services.originals.put_back, each)


def _remove(services: Services, folders: list[UUID]) -> int:
    """Remove renditions of images, and temporary files; returns how many of these."""
    for image in folders:
        services.renditions.remove_image(image)
    return remove_abandoned(services)
