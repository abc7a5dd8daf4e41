"""From ids to what links are made of: one query a batch, and none for what is remembered."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar
from uuid import UUID

from tintype.catalogue import images
from tintype.core.services import Services
from tintype.model import Caller, LinkTarget

T = TypeVar("T")

_NOT_CACHED: Any = object()


async def link_targets(services: Services, caller: Caller, ids: Sequence[UUID]) -> dict[UUID, LinkTarget]:
    """The present versions of those ids that are images of the caller's account.

    An id that is missing from the answer does not exist or is another account's: the two can't be told
    apart.
    """
    return await services.catalogue.query(lambda tx: images.link_targets(tx, caller.account.id, ids))


async def resolve_ids(
    services: Services,
    caller: Caller,
    names: Collection[str],
    read: Callable[[str], UUID],
    keep: Callable[[LinkTarget], T],
) -> dict[str, T | None]:
    """What a dialect needs of the versions of images, by their names; remembered until something changes.

    None for an image that does not exist or is another account's.

    Args:
        caller: whose images they have to be.
        names: as the caller's dialect spells ids.
        read: the id that a name spells. What it raises is raised here.
        keep: what the dialect needs of a version; the same each time.
    """
    cached = services.query_cache.snapshot()
    start = f"{caller.dialect} {caller.account.id} "
    found: dict[str, T | None] = {name: cached.get(start + name, _NOT_CACHED) for name in names}
    if _NOT_CACHED in found.values():
        ids = {name: read(name) for name, known in found.items() if known is _NOT_CACHED}
        present = await link_targets(services, caller, list(ids.values()))
        for name, id in ids.items():
            version = present.get(id)
            cached[start + name] = found[name] = None if version is None else keep(version)
    return found
