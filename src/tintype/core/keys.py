"""Keys that sign links, added and retired with an entry in the audit log."""

from tintype.core import audit
from tintype.core.house import House
from tintype.core.sign import Key
from tintype.model import Actor, Error, Kind
from tintype.model.audit import Event


async def rotate(house: House, actor: Actor) -> Key:
    """Add a key; it signs from now on."""
    async with house.catalogue.write() as tx:
        key = await house.workers.disk(house.keyring.rotate)
        await audit.record(tx, house.clock(), actor, Event.KEY_ADDED, key=key.id)
    return key


async def retire(house: House, key_id: str, actor: Actor) -> None:
    """Remove a key, so that links signed with it open no more.

    Raises:
        Error: MISSING when there is no such key, or it is the only one.
    """
    async with house.catalogue.write() as tx:
        # First: what can't be recorded isn't done either.
        await audit.record(tx, house.clock(), actor, Event.KEY_RETIRED, key=key_id)
        if not await house.workers.disk(house.keyring.retire, key_id):
            sentence = f"{key_id} was not removed: there is no such key, or it is the only one."
            raise Error(Kind.MISSING, sentence)


async def record_new(house: House, actor: Actor) -> Key:
    """Record, and answer, the key that was made because there was none, or none that could be read."""
    (key,) = house.keyring.all()
    async with house.catalogue.write() as tx:
        await audit.record(tx, house.clock(), actor, Event.KEY_ADDED, key=key.id, replaces="all")
    return key
