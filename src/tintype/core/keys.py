"""Keys that sign links, added and retired with an entry in the audit log."""

from tintype.core import audit
from tintype.core.disk_space import with_reserve
from tintype.core.house import House
from tintype.core.sign import Key
from tintype.model import Actor, Error, Kind
from tintype.model.audit import Event


async def rotate(house: House, actor: Actor) -> Key:
    """Add a key; it signs from now on.

    Raises:
        Error: INSUFFICIENT_STORAGE.
    """
    key: Key | None = None

    async def add() -> Key:
        nonlocal key
        async with house.catalogue.write() as tx:
            # What a full disk refused after that is done again: with this key, not with another.
            if key is None:
                added = await house.workers.disk(house.keyring.rotate)
                key = added
            await audit.record(tx, house.clock(), actor, Event.KEY_ADDED, key=key.id)
        return key

    return await with_reserve(house, add)


async def retire(house: House, key_id: str, actor: Actor) -> None:
    """Remove a key, so that links signed with it open no more.

    Raises:
        Error: MISSING when there is no such key, or it is the only one; INSUFFICIENT_STORAGE.
    """
    is_removed = False

    async def remove() -> None:
        nonlocal is_removed
        async with house.catalogue.write() as tx:
            # First: what can't be recorded isn't done either.
            await audit.record(tx, house.clock(), actor, Event.KEY_RETIRED, key=key_id)
            is_removed = is_removed or await house.workers.disk(house.keyring.retire, key_id)
            if not is_removed:
                sentence = f"{key_id} was not removed: there is no such key, or it is the only one."
                raise Error(Kind.MISSING, sentence)

    await with_reserve(house, remove)


async def record_new(house: House, actor: Actor) -> Key:
    """Record, and answer, the key that was made because there was none, or none that could be read."""
    (key,) = house.keyring.all()
    async with house.catalogue.write() as tx:
        await audit.record(tx, house.clock(), actor, Event.KEY_ADDED, key=key.id, replaces="all")
    return key
