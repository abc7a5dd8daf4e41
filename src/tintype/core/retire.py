"""Taking images out: records first, then whatever of their bytes nobody else needs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import UUID

from tintype.catalogue import changes, images, placements
from tintype.core import audit
from tintype.core.browse import no_such_image
from tintype.core.disk_space import tell, with_reserve
from tintype.core.house import House
from tintype.model import Caller, Error, Kind, Place
from tintype.model.audit import Event


async def delete(house: House, caller: Caller, id: UUID, place: Place | None = None) -> None:
    """Delete an image of the caller's account; its places are free and its links dead on return.

    Args:
        house: the house.
        caller: whose image it has to be.
        id: the image.
        place: where it has to hang, if anywhere.

    Raises:
        Error: MISSING when there is no such image of the account, or not at that place.
    """
    erased = await with_reserve(house, lambda: _erase(house, caller, id, place))
    house.facts.forget(id)
    await house.workers.disk(house.renditions.forget, id)
    await drop_unused(house, erased.sha256)


async def drop_unused(house: House, sha256: str) -> bool:
    """Remove an original that no image refers to; answers whether it did.

    Inside a write transaction: nobody can record an image with these bytes meanwhile.
    """
    async with house.catalogue.write() as tx:
        if await images.refers(tx, sha256):
            return False
        await house.workers.disk(house.originals.remove, sha256)
        return True


@asynccontextmanager
async def dropped_unless_recorded(house: House, sha256: str) -> AsyncIterator[None]:
    """Remove an original again when the block that publishes and records it fails or is cancelled.

    It failed after the bytes had their name when the commit did: on a full disk they would stay there.
    """
    try:
        yield
    except BaseException as failed:
        if isinstance(failed, Error) and failed.kind is Kind.INSUFFICIENT_STORAGE:
            tell(failed)
        if not (isinstance(failed, Error) and failed.kind is Kind.BUSY):
            # Otherwise its turn to write never came, and it published nothing.
            await _drop_published(house, sha256)
        raise


async def _drop_published(house: House, sha256: str) -> None:
    # What this may fail with says less than why it is done.
    with suppress(Error):
        if await house.workers.disk(house.originals.holds, sha256):
            await drop_unused(house, sha256)


async def _erase(house: House, caller: Caller, id: UUID, place: Place | None) -> images.Erased:
    async with house.catalogue.write() as tx:
        if place is not None and not await placements.hangs(tx, caller.account.id, place, id):
            raise no_such_image()
        now = house.clock()
        await changes.note(tx, caller.account.id, id, now)
        erased = await images.erase(tx, caller.account.id, id)
        if erased is None:
            raise no_such_image()
        told = {"image": str(id), "filename": erased.filename, "sha256": erased.sha256}
        await audit.record(tx, now, caller.actor, Event.IMAGE_DELETED, caller.account.name, **told)
        return erased
