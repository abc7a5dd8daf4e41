"""Deletes images: first the record, then the original if no other image has the same bytes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import UUID

from tintype.catalogue import Transaction, images, outbox, placements
from tintype.core.access import audit
from tintype.core.delivery.disk_space import log_not_stored, with_reserve
from tintype.core.services import Services
from tintype.model import Caller, Error, InsufficientStorage, Overloaded, Placement, no_such_image
from tintype.model.audit import Event


async def delete(services: Services, caller: Caller, id: UUID, placement: Placement | None = None) -> None:
    """Delete an image of the caller's account; on return its placements are free and its links invalid.

    Args:
        caller: the owner of the image.
        id: the image.
        placement: where it has to be attached; None: anywhere.

    Raises:
        NotFound: when the account has no such image, or not at that placement.
    """
    deleted = await with_reserve(
        services, lambda: services.catalogue.write(_delete_record, services, caller, id, placement)
    )
    services.record_cache.invalidate(id)
    await services.workers.disk(services.renditions.remove_image, id)
    await remove_if_unreferenced(services, deleted.sha256)


async def remove_if_unreferenced(services: Services, sha256: str) -> bool:
    """Remove an original unless an image refers to it; return whether it was removed.

    Inside a write transaction, so that no image with these bytes can be recorded meanwhile.
    """

    def remove(tx: Transaction) -> bool:
        if images.is_referenced(tx, sha256):
            return False
        services.originals.delete(sha256)
        return True

    return await services.catalogue.write(remove)


@asynccontextmanager
async def remove_original_on_failure(services: Services, sha256: str) -> AsyncIterator[None]:
    """Remove an original again when the block that publishes and records it fails or is cancelled.

    When the commit fails, the bytes are already published: on a full disk they would stay there.
    """
    try:
        yield
    except BaseException as failed:
        if isinstance(failed, InsufficientStorage):
            log_not_stored(failed)
        if not isinstance(failed, Overloaded):
            # Then there was no transaction, and nothing was published.
            await _remove_published(services, sha256)
        raise


async def _remove_published(services: Services, sha256: str) -> None:
    # The error that led here says more than one raised here.
    with suppress(Error):
        if await services.workers.disk(services.originals.stat, sha256):
            await remove_if_unreferenced(services, sha256)


def _delete_record(
    tx: Transaction, services: Services, caller: Caller, id: UUID, placement: Placement | None
) -> images.DeletedImage:
    if placement is not None and not placements.is_attached(tx, caller.account.id, placement, id):
        raise no_such_image()
    now = services.clock()
    outbox.record(tx, caller.account.id, id, now)
    deleted = images.delete_image(tx, caller.account.id, id)
    if deleted is None:
        raise no_such_image()
    details = {"image": str(id), "filename": deleted.filename, "sha256": deleted.sha256}
    audit.record(tx, now, caller.actor, Event.IMAGE_DELETED, caller.account.name, **details)
    return deleted
