"""Deletes images: first the record, then the original unless it is still in use."""

import asyncio
from uuid import UUID

from tintype.catalogue import Transaction, images, outbox, placements
from tintype.core.access import audit
from tintype.core.delivery.disk_space import with_reserve
from tintype.core.library.originals import Removal, begin_removal, finish_removal
from tintype.core.runtime.uncancellable import uncancellable
from tintype.core.services import Services
from tintype.model import Caller, Placement, no_such_image
from tintype.model.audit import Event


async def delete(services: Services, caller: Caller, id: UUID, placement: Placement | None = None) -> None:
    """Delete an image of the caller's account; on return its placements are free and its links invalid.

    Args:
        caller: the owner of the image.
        id: the image.
        placement: where it has to be attached; None: anywhere. If it is attached elsewhere too, it is only
            detached from there.

    Raises:
        NotFound: when the account has no such image, or not at that placement.
    """
    await uncancellable(asyncio.create_task(_delete(services, caller, id, placement)))


async def _delete(services: Services, caller: Caller, id: UUID, placement: Placement | None) -> None:
    removal = await with_reserve(
        services, lambda: services.catalogue.write(_delete_record, services, caller, id, placement)
    )
    services.record_cache.invalidate(id)
    await services.workers.disk(services.renditions.remove_image, id)
    if removal is not None:
        await finish_removal(services, removal)


def _delete_record(
    tx: Transaction, services: Services, caller: Caller, id: UUID, placement: Placement | None
) -> Removal | None:
    """The removal of its original if that is in use no more."""
    if placement is not None and _detach_one_of_several(tx, caller, id, placement):
        return None
    now = services.clock()
    outbox.record(tx, caller.account.id, id, now)
    deleted = images.delete_image(tx, caller.account.id, id)
    if deleted is None:
        raise no_such_image()
    details = {"image": str(id), "filename": deleted.filename, "sha256": deleted.sha256}
    audit.record(tx, now, caller.actor, Event.IMAGE_DELETED, caller.account.name, **details)
    return begin_removal(tx, services, deleted.sha256)


def _detach_one_of_several(tx: Transaction, caller: Caller, id: UUID, placement: Placement) -> bool:
    """Whether the image is attached elsewhere too; it is then detached from this placement alone."""
    if not placements.is_attached(tx, caller.account.id, placement, id):
        raise no_such_image()
    image = images.get(tx, caller.account.id, id, for_update=True)
    several = image is not None and placements.count(tx, image.number) > 1
    return several and placements.detach(tx, caller.account.id, id, placement)
