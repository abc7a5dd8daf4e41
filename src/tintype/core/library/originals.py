"""Stores and removes originals, so that no record is ever without its bytes.

An original is stored before the transaction that records it, and removed after the one that leaves it unused.
In between a lease (`catalogue.leases`) keeps others from removing it, or from storing it anew.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from uuid import UUID

from msgspec import Struct

from tintype.catalogue import Transaction, leases
from tintype.core.delivery.disk_space import log_not_stored, with_reserve
from tintype.core.runtime.uncancellable import uncancellable
from tintype.core.services import Services
from tintype.model import Error, InsufficientStorage, Overloaded
from tintype.storage import Staged

MIN_PAUSE, MAX_PAUSE = 0.005, 0.1
"""Seconds between two tries to store an original that another task is removing, which takes milliseconds."""
START_SECONDS = leases.DELETE_SECONDS / 2
"""A removal that has not started so long after its lease is left to garbage collection."""


class Removal(Struct, frozen=True):
    """An original that is leased to be removed, and until when that has to be started (`time.monotonic`)."""

    sha256: str
    lease: UUID
    deadline: float


@asynccontextmanager
async def published(services: Services, staged: Staged) -> AsyncIterator[UUID]:
    """Store staged bytes, which the block records in a transaction that calls `end_put` with the lease.

    They are removed again when the block fails or is cancelled, unless an image refers to them.

    Raises:
        Overloaded: the same bytes are being removed, and it takes too long.
        InsufficientStorage: the disk is full; it is logged.
    """
    with _logged():
        lease = await _begin_put(services, staged.sha256)
        try:
            await services.workers.disk(services.originals.put, staged)
            yield lease
        except BaseException:
            await uncancellable(asyncio.create_task(_give_up(services, lease, staged.sha256)))
            raise


def end_put(tx: Transaction, lease: UUID) -> None:
    """End the lease of `published`, in the transaction that records the bytes.

    Raises:
        Overloaded: it has expired, and the bytes may have been removed.
    """
    if not leases.end(tx, lease):
        raise Overloaded("Storing this picture took too long; send it again.", retry_after=1)


async def remove_unused(services: Services, sha256: str, remove: Callable[[str], None] | None = None) -> bool:
    """Remove an original unless it is in use, by default for good; returns whether it was not in use."""
    return await uncancellable(asyncio.create_task(_remove_unused(services, sha256, remove)))


def begin_removal(tx: Transaction, services: Services, sha256: str) -> Removal | None:
    """Lease an original to remove it; None if it is in use.

    When the transaction is committed, call `finish_removal`, uncancellably: a lease that is left behind holds
    up uploads of the same bytes until it expires.
    """
    deadline = time.monotonic() + START_SECONDS
    lease = leases.begin_delete(tx, sha256, services.clock())
    return None if lease is None else Removal(sha256, lease, deadline)


async def finish_removal(
    services: Services, removal: Removal, remove: Callable[[str], None] | None = None
) -> None:
    """Remove an original that was leased for that, and end the lease; by default it is deleted."""
    try:
        await services.workers.disk(_start_in_time, removal, remove or services.originals.delete)
    finally:
        # If it can't be ended it expires.
        with suppress(Error):
            await with_reserve(services, lambda: services.catalogue.write(leases.end, removal.lease))


async def _begin_put(services: Services, sha256: str) -> UUID:
    deadline, pause = time.monotonic() + leases.DELETE_SECONDS, MIN_PAUSE
    while True:
        lease = await services.catalogue.write(leases.begin_put, sha256, services.clock())
        if lease is not None:
            return lease
        if time.monotonic() > deadline:
            raise Overloaded("The same picture is being deleted; try again in a moment.", retry_after=1)
        await asyncio.sleep(pause)
        pause = min(2 * pause, MAX_PAUSE)


async def _give_up(services: Services, lease: UUID, sha256: str) -> None:
    # The error that led here says more than one raised here.
    with suppress(Error):
        await with_reserve(services, lambda: services.catalogue.write(leases.end, lease))
        await _remove_unused(services, sha256, None)


async def _remove_unused(services: Services, sha256: str, remove: Callable[[str], None] | None) -> bool:
    removal = await with_reserve(services, lambda: services.catalogue.write(begin_removal, services, sha256))
    if removal is not None:
        await finish_removal(services, removal, remove)
    return removal is not None


def _start_in_time(removal: Removal, remove: Callable[[str], None]) -> None:
    # Later the lease could expire meanwhile, and what is removed would be another's upload.
    if time.monotonic() < removal.deadline:
        remove(removal.sha256)


@contextmanager
def _logged() -> Iterator[None]:
    try:
        yield
    except InsufficientStorage as failed:
        log_not_stored(failed)
        raise
