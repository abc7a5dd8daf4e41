"""Keys that sign links, added and retired with an entry in the audit log."""

from tintype.core.access import audit
from tintype.core.delivery.disk_space import with_reserve
from tintype.core.runtime.signing import Key
from tintype.core.services import Services
from tintype.model import Actor, Error, Kind
from tintype.model.audit import Event


async def rotate(services: Services, actor: Actor) -> Key:
    """Add a key; it signs from now on.

    Raises:
        Error: INSUFFICIENT_STORAGE.
    """
    key: Key | None = None

    async def add() -> Key:
        nonlocal key
        async with services.catalogue.write() as tx:
            # What a full disk refused after that is done again: with this key, not with another.
            if key is None:
                added = await services.workers.disk(services.keyring.rotate)
                key = added
            await audit.record(tx, services.clock(), actor, Event.KEY_ADDED, key=key.id)
        return key

    return await with_reserve(services, add)


async def retire(services: Services, key_id: str, actor: Actor) -> None:
    """Remove a key, so that links signed with it open no more.

    Raises:
        Error: NOT_FOUND when there is no such key, or it is the only one; INSUFFICIENT_STORAGE.
    """
    is_removed = False

    async def remove() -> None:
        nonlocal is_removed
        async with services.catalogue.write() as tx:
            # First: what can't be recorded isn't done either.
            await audit.record(tx, services.clock(), actor, Event.KEY_RETIRED, key=key_id)
            is_removed = is_removed or await services.workers.disk(services.keyring.retire, key_id)
            if not is_removed:
                sentence = f"{key_id} was not removed: there is no such key, or it is the only one."
                raise Error(Kind.NOT_FOUND, sentence)

    await with_reserve(services, remove)


async def record_new(services: Services, actor: Actor) -> Key:
    """Record, and answer, the key that was made because there was none, or none that could be read."""
    (key,) = services.keyring.all()
    async with services.catalogue.write() as tx:
        await audit.record(tx, services.clock(), actor, Event.KEY_ADDED, key=key.id, replaces="all")
    return key
