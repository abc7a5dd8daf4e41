"""Taking images out: records first, then whatever of their bytes nobody else needs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import UUID

from tintype.catalogue import changes, images, placements
from tintype.core.access import audit
from tintype.core.delivery.disk_space import log_not_stored, with_reserve
from tintype.core.services import Services
from tintype.model import Caller, Error, Kind, Placement, no_such_image
from tintype.model.audit import Event


async def delete(services: Services, caller: Caller, id: UUID, placement: Placement | None = None) -> None:
    """Delete an image of the caller's account; its places are free and its links dead on return.

    Args:
        caller: whose image it has to be.
        id: the image.
        placement: where it has to hang, if anywhere.

    Raises:
        Error: NOT_FOUND when there is no such image of the account, or not at that place.
    """
    erased = await with_reserve(services, lambda: _delete_record(services, caller, id, placement))
    services.record_cache.invalidate(id)
    await services.workers.disk(services.renditions.remove_image, id)
    await remove_if_unreferenced(services, erased.sha256)


async def remove_if_unreferenced(services: Services, sha256: str) -> bool:
    """Remove an original that no image refers to; answers whether it did.

    Inside a write transaction: nobody can record an image with these bytes meanwhile.
    """
    async with services.catalogue.write() as tx:
        if await images.is_referenced(tx, sha256):
            return False
        await services.workers.disk(services.originals.remove, sha256)
        return True


@asynccontextmanager
async def remove_original_on_failure(services: Services, sha256: str) -> AsyncIterator[None]:
    """Remove an original again when the block that publishes and records it fails or is cancelled.

    It failed after the bytes had their name when the commit did: on a full disk they would stay there.
    """
    try:
        yield
    except BaseException as failed:
        if isinstance(failed, Error) and failed.kind is Kind.INSUFFICIENT_STORAGE:
            log_not_stored(failed)
        if not (isinstance(failed, Error) and failed.kind is Kind.OVERLOADED):
            # Otherwise its turn to write never came, and it published nothing.
            await _remove_published(services, sha256)
        raise


async def _remove_published(services: Services, sha256: str) -> None:
    # What this may fail with says less than why it is done.
    with suppress(Error):
        if await services.workers.disk(services.originals.exists, sha256):
            await remove_if_unreferenced(services, sha256)


async def _delete_record(
    services: Services, caller: Caller, id: UUID, placement: Placement | None
) -> images.DeletedImage:
    async with services.catalogue.write() as tx:
        if placement is not None and not await placements.is_attached(tx, caller.account.id, placement, id):
            raise no_such_image()
        now = services.clock()
        await changes.record(tx, caller.account.id, id, now)
        erased = await images.delete_image(tx, caller.account.id, id)
        if erased is None:
            raise no_such_image()
        told = {"image": str(id), "filename": erased.filename, "sha256": erased.sha256}
        await audit.record(tx, now, caller.actor, Event.IMAGE_DELETED, caller.account.name, **told)
        return erased
