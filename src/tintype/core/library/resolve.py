"""Resolves ids to what links are made of: one query per batch, and none for cached ids."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar
from uuid import UUID

from tintype.catalogue import images
from tintype.core.services import Services
from tintype.model import Caller, LinkTarget

T = TypeVar("T")

_NOT_CACHED: Any = object()


async def link_targets(services: Services, caller: Caller, ids: Sequence[UUID]) -> dict[UUID, LinkTarget]:
    """The link targets of those ids that are images of the caller's account.

    An id that is missing from the result doesn't exist, is archived, or belongs to another account.
    """
    return await services.catalogue.read(images.link_targets, caller.account.id, ids)


async def resolve_ids(
    services: Services,
    caller: Caller,
    names: Collection[str],
    read: Callable[[str], UUID],
    keep: Callable[[LinkTarget], T],
) -> dict[str, T | None]:
    """What a dialect needs of the images with these names, cached until anything changes.

    None for an image that doesn't exist, is archived, or belongs to another account.

    Args:
        caller: the owner of the images.
        names: ids as the caller's dialect writes them.
        read: parses a name to an id; its exceptions are passed on.
        keep: converts a link target to what is cached; must be a pure function.
    """
    cached = services.query_cache.snapshot()
    start = f"{caller.dialect} {caller.account.id} "
    targets: dict[str, T | None] = {name: cached.peek(start + name, _NOT_CACHED) for name in names}
    if _NOT_CACHED in targets.values():
        ids = {name: read(name) for name, known in targets.items() if known is _NOT_CACHED}
        present = await link_targets(services, caller, list(ids.values()))
        for name, id in ids.items():
            version = present.get(id)
            targets[name] = None if version is None else keep(version)
            cached.put(start + name, targets[name])
    return targets
