"""Updates images: archive, restore, or replace the bytes. Changes take effect at once."""

from uuid import UUID

from tintype.catalogue import Transaction, images, outbox, placements
from tintype.core.access import audit
from tintype.core.access.quotas import require_room
from tintype.core.delivery.disk_space import with_reserve
from tintype.core.library.browse import require_image
from tintype.core.library.ingest import new_image
from tintype.core.library.originals import end_put, published, remove_unused
from tintype.core.library.placement import require_rules
from tintype.core.services import Services
from tintype.imaging import ImageInfo
from tintype.model import Caller, Image, Status
from tintype.model.audit import Event
from tintype.storage import Staged


async def set_status(services: Services, caller: Caller, id: UUID, status: Status) -> Image:
    """Archive an image of the caller's account, or restore it; links to an archived one are invalid.

    Raises:
        NotFound: when the account has no such image.
    """
    changed = await with_reserve(
        services, lambda: services.catalogue.write(_set_status, services, caller, id, status)
    )
    services.record_cache.invalidate(id)
    return changed


async def replace(
    services: Services, caller: Caller, id: UUID, staged: Staged, info: ImageInfo, filename: str
) -> Image:
    """Replace the bytes of an image of the caller's account, which makes its next version.

    Id, number, status and placements stay. On return, links to earlier versions are invalid, and those
    without a version deliver the new bytes. The old original is removed unless another image has it too.

    Args:
        caller: the owner of the image.
        id: the image.
        staged: the bytes; they are published and then no longer staged.
        info: what `examine` found.
        filename: from the client; empty: unchanged.

    Raises:
        NotFound: when the account has no such image.
        Conflict: when the bytes break a rule of a placement at which it is attached.
        QuotaExceeded: when it would exceed its quotas.
    """

    def record(tx: Transaction, lease: UUID) -> tuple[Image, Image]:
        end_put(tx, lease)
        # Locked: of two that replace it at once, the second makes the version after that of the first.
        image = require_image(tx, caller.account.id, id, for_update=True)
        now = services.clock()
        new = new_image(staged, info, filename or image.filename, image.status)
        for placement in placements.of_image(tx, image.number):
            require_rules(services, placement, new)
        changed = images.replace(tx, image, new, caller.person, now)
        if new.bytes > image.bytes:
            require_room(tx, services, caller.account.id)
        outbox.record(tx, caller.account.id, id, now)
        details = {"image": str(id), "version": changed.version, "before": image.sha256, "after": new.sha256}
        audit.record(tx, now, caller.actor, Event.IMAGE_REPLACED, caller.account.name, **details)
        return image, changed

    async with published(services, staged) as lease:
        before, after = await services.catalogue.write(record, lease)
    services.record_cache.invalidate(id)
    await services.workers.disk(services.renditions.remove_image, id)
    await remove_unused(services, before.sha256)
    return after


def _set_status(tx: Transaction, services: Services, caller: Caller, id: UUID, status: Status) -> Image:
    image = require_image(tx, caller.account.id, id, for_update=True)
    if image.status is status:
        return image
    now = services.clock()
    changed = images.set_status(tx, image, status, caller.person, now)
    outbox.record(tx, caller.account.id, id, now)
    return changed
