"""From ids to what links are made of: one query a batch."""

from collections.abc import Sequence
from uuid import UUID

from tintype.catalogue import images
from tintype.core.house import House
from tintype.model import Caller, Version


async def versions(house: House, caller: Caller, ids: Sequence[UUID]) -> dict[UUID, Version]:
    """The present versions of those ids that are images of the caller's account.

    An id that is missing from the answer does not exist or is another account's: the two can't be told
    apart.
    """
    return await house.catalogue.ask(lambda tx: images.versions(tx, caller.account.id, ids))
