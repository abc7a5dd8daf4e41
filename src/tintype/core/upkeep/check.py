"""`tintype check`: finds records without bytes, bytes without a record, and wrong usage of accounts."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from tintype.catalogue import images, usage
from tintype.core.library.ingest import PIXELS_PER_BYTE
from tintype.core.runtime.fair_queue import WorkEstimate
from tintype.core.runtime.renderers import decode
from tintype.core.services import Services
from tintype.core.upkeep.unused import abandoned, unused_originals, without_record
from tintype.imaging import Reason
from tintype.imaging.sandbox.messages import Examined
from tintype.imaging.sandbox.pool import Allowance, RendererError
from tintype.model import InvalidImage
from tintype.storage.blobs import digest

BATCH = 1000
"""Records read in one transaction."""


class Fault(StrEnum):
    """The kinds of faults."""

    BYTES_MISSING = "bytes-missing"
    BYTES_DAMAGED = "bytes-damaged"
    BYTES_UNREADABLE = "bytes-unreadable"
    BYTES_SET_ASIDE = "bytes-set-aside"
    OBJECT_UNUSED = "object-unused"
    USAGE_WRONG = "usage-wrong"


class Finding(Struct, frozen=True):
    """One fault: of an original (of an image, if one needs it), or of the usage of an account."""

    fault: Fault
    sha256: str = ""
    image: UUID | None = None
    account: str = ""


class Leftovers(Struct, frozen=True):
    """What waits to be deleted and is no fault; `since`: when the oldest original was set aside."""

    removed: int
    removed_bytes: int
    since: datetime | None
    temporary_files: int


async def check(
    services: Services, *, deep: bool = False, on_step: Callable[[], None] = lambda: None
) -> AsyncIterator[Finding]:
    """Yield every record without its bytes, every original without a record, every wrong usage of an account.

    Safe beside a running service: originals that are being stored or deleted are not reported.

    Args:
        deep: also read every original again, compare its digest, and decode it.
        on_step: called once per image and per original, to show progress.
    """
    async for image, sha256, size in _records(services):
        fault = await services.workers.disk(_fault, services, sha256, size, deep=deep)
        if fault is None and deep and not await _is_readable(services, sha256, size):
            fault = Fault.BYTES_UNREADABLE
        on_step()
        # Unless it was deleted meanwhile: the record is removed before the bytes.
        if fault is not None and not await without_record(services, [image]):
            yield Finding(fault, sha256, image)
    present = await services.workers.disk(lambda: list(services.originals.list()))
    async for sha256 in unused_originals(services, present, on_step):
        yield Finding(Fault.OBJECT_UNUSED, sha256)
    for account in await services.catalogue.read(usage.mismatches):
        yield Finding(Fault.USAGE_WRONG, account=account)


async def count_steps(services: Services) -> int:
    """How many steps `check` takes: images and originals together."""
    records = await services.catalogue.read(images.count)
    return records + len(await services.workers.disk(lambda: list(services.originals.list())))


async def leftovers(services: Services) -> Leftovers:
    """What was set aside, and the temporary files of interrupted uploads and renditions."""
    return await services.workers.disk(_leftovers, services)


async def _records(services: Services) -> AsyncIterator[tuple[UUID, str, int]]:
    """Id, digest and size of every image; no transaction is open while files are read."""
    last = 0
    while True:
        batch = await services.catalogue.read(images.originals, last, BATCH)
        for last, image, sha256, size in batch:  # noqa: B007  where the next batch begins
            yield image, sha256, size
        if len(batch) < BATCH:
            return


def _fault(services: Services, sha256: str, size: int, *, deep: bool) -> Fault | None:
    stat = services.originals.stat(sha256)
    if stat is None:
        return Fault.BYTES_SET_ASIDE if _is_set_aside(services, sha256) else Fault.BYTES_MISSING
    if stat.size != size or (deep and digest(services.originals, sha256) != sha256):
        return Fault.BYTES_DAMAGED
    return None


async def _is_readable(services: Services, sha256: str, size: int) -> bool:
    """Whether an original decodes to its end. What takes too much memory or time counts as readable."""
    estimate = WorkEstimate("check", size * PIXELS_PER_BYTE)
    try:
        examined = await decode(services.workers, estimate, _examine, services, sha256)
    except RendererError:
        return False
    except InvalidImage as refused:
        return refused.reason is Reason.TOO_COSTLY
    return examined.refused is None or examined.refused.reason is Reason.TOO_COSTLY


def _examine(allowance: Allowance, services: Services, sha256: str) -> Examined:
    # Without limits: they may have been higher when it came in.
    with services.originals.open(sha256) as source:
        return services.renderers.examine(source.fileno(), None, allowance)


def _is_set_aside(services: Services, sha256: str) -> bool:
    try:
        services.originals.trash.open(sha256).close()
    except FileNotFoundError:
        return False
    return True


def _leftovers(services: Services) -> Leftovers:
    removed = list(services.originals.trash.each())
    since = min((each.removed_at for each in removed if each.removed_at is not None), default=None)
    return Leftovers(len(removed), sum(each.size for each in removed), since, abandoned(services))
