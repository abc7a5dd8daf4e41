"""From ids to what links are made of: one query a batch, and none for what is remembered."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar
from uuid import UUID

from tintype.catalogue import images
from tintype.core.house import House
from tintype.model import Caller, Version

T = TypeVar("T")

_UNASKED: Any = object()


async def versions(house: House, caller: Caller, ids: Sequence[UUID]) -> dict[UUID, Version]:
    """The present versions of those ids that are images of the caller's account.

    An id that is missing from the answer does not exist or is another account's: the two can't be told
    apart.
    """
    return await house.catalogue.ask(lambda tx: images.versions(tx, caller.account.id, ids))


async def named(
    house: House,
    caller: Caller,
    names: Collection[str],
    read: Callable[[str], UUID],
    keep: Callable[[Version], T],
) -> dict[str, T | None]:
    """What a dialect needs of the versions of images, by their names; remembered until something changes.

    None for an image that does not exist or is another account's.

    Args:
        house: the house.
        caller: whose images they have to be.
        names: as the caller's dialect spells ids.
        read: the id that a name spells. What it raises is raised here.
        keep: what the dialect needs of a version; the same each time.
    """
    page = house.memory.page()
    start = f"{caller.dialect} {caller.account.id} "
    found: dict[str, T | None] = {name: page.get(start + name, _UNASKED) for name in names}
    if _UNASKED in found.values():
        ids = {name: read(name) for name, known in found.items() if known is _UNASKED}
        present = await versions(house, caller, list(ids.values()))
        for name, id in ids.items():
            version = present.get(id)
            page[start + name] = found[name] = None if version is None else keep(version)
    return found
