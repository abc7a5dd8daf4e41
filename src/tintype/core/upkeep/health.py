"""Health: whether the service can serve, and which parts are degraded."""

import asyncio
from uuid import UUID

from tintype.catalogue import CatalogueError, images
from tintype.core.services import Services
from tintype.model import Error, InsufficientStorage, Overloaded

READ_SECONDS = 3.0
"""The time limit for a query of the catalogue."""
WRITE_SECONDS = 1.0
"""The time limit to get the write lock, which another program may hold."""


async def can_serve(services: Services) -> bool:
    """Whether the catalogue answers."""
    try:
        async with asyncio.timeout(READ_SECONDS):
            await services.catalogue.read(images.list_newest, UUID(int=0), None, 1)
    except (CatalogueError, OSError, Error):
        # A TimeoutError is an OSError.
        return False
    return True


async def degraded(services: Services) -> list[str]:
    """The parts that fail although pictures are delivered, each with its fault."""
    faults = {
        "storage": await services.workers.disk(services.reserve.fault),
        "catalogue": await _catalogue_fault(services),
        "link keys": "missing or broken" if services.keyring.fault else "",
    }
    return [f"{part} {fault}" for part, fault in faults.items() if fault]


async def _catalogue_fault(services: Services) -> str:
    try:
        await services.catalogue.require_writable(WRITE_SECONDS)
    except Overloaded:
        return "locked"
    except InsufficientStorage:
        return "read-only"
    except CatalogueError:
        return "can't be written"
    return ""
