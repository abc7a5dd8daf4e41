"""Whose a store is: the account that first hung an image in it."""

from datetime import datetime

from tintype.catalogue import placements
from tintype.catalogue.engine import Transaction
from tintype.core.house import House
from tintype.model import Caller, Error, Kind


async def enter(house: House, caller: Caller, store: str) -> None:
    """Raise FORBIDDEN if the store is another account's; one that nobody has used is open to all."""
    owner = await house.catalogue.ask(lambda tx: placements.store_owner(tx, store))
    if owner not in {None, caller.account.id}:
        raise _foreign()


async def claim(tx: Transaction, caller: Caller, store: str, now: datetime) -> None:
    """Make a store the caller's, if it is nobody's.

    Raises:
        Error: FORBIDDEN when it is another account's.
    """
    owner = await placements.store_owner(tx, store)
    if owner is None:
        await placements.claim_store(tx, caller.account.id, store, now)
    elif owner != caller.account.id:
        raise _foreign()


def _foreign() -> Error:
    return Error(Kind.FORBIDDEN, "This store belongs to another account.")
