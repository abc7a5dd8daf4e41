"""Adds and removes the keys that sign links, with entries in the audit log."""

from tintype.catalogue import Transaction
from tintype.core.access import audit
from tintype.core.delivery.disk_space import with_reserve
from tintype.core.runtime.signing import Key, new_key
from tintype.core.services import Services
from tintype.model import Actor, NotFound
from tintype.model.audit import Event


async def rotate(services: Services, actor: Actor) -> Key:
    """Add a key; it signs from now on.

    Raises:
        InsufficientStorage: when the disk is full.
    """
    key = new_key()

    def add(tx: Transaction) -> None:
        services.keyring.add(key)
        audit.record(tx, services.clock(), actor, Event.KEY_ADDED, key=key.id)

    await with_reserve(services, lambda: services.catalogue.write(add))
    return key


async def retire(services: Services, key_id: str, actor: Actor) -> None:
    """Remove a key, which invalidates the links that it signed.

    Raises:
        NotFound: when there is no such key, or it is the only one.
        InsufficientStorage: when the disk is full.
    """
    await services.workers.disk(services.keyring.reload)
    if key_id not in {key.id for key in services.keyring.all()}:
        raise _not_removed(key_id)

    def remove(tx: Transaction) -> None:
        # First: a change that can't be recorded is not made.
        audit.record(tx, services.clock(), actor, Event.KEY_RETIRED, key=key_id)
        if not services.keyring.remove(key_id):
            raise _not_removed(key_id)

    await with_reserve(services, lambda: services.catalogue.write(remove))


async def record_new(services: Services, actor: Actor) -> Key:
    """Record the key that was created because the file was missing or unreadable; return it."""
    (key,) = services.keyring.all()
    now = services.clock()
    await services.catalogue.write(audit.record, now, actor, Event.KEY_ADDED, key=key.id, replaces="all")
    return key


def _not_removed(key_id: str) -> NotFound:
    return NotFound(f"{key_id} was not removed: there is no such key, or it is the only one.")
