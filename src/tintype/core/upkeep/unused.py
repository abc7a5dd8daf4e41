"""What nobody needs any more: originals without an image, files that a crash left behind."""

from collections.abc import AsyncIterator, Callable, Iterable
from uuid import UUID

from tintype.catalogue import images, leases
from tintype.catalogue.transaction import batches
from tintype.core.services import Services
from tintype.storage.abandoned import AbandonedFiles

ABANDONED_AFTER_SECONDS = 24 * 3600
"""A temporary file this old was left by a crash: no upload takes a day."""


async def unused_originals(
    services: Services, originals: list[str], on_step: Callable[[], None] = lambda: None
) -> AsyncIterator[str]:
    """The originals that no image refers to, and that are not being stored or deleted."""
    for batch in batches(originals):
        used = await services.catalogue.read(images.referenced_digests, batch)
        for sha256 in batch:
            on_step()
            if sha256 not in used and await _is_unused(services, sha256):
                yield sha256


async def without_record(services: Services, ids: Iterable[UUID]) -> list[UUID]:
    """Those of these images that have no record."""
    gone: list[UUID] = []
    for batch in batches(ids):
        recorded = await services.catalogue.read(images.existing, batch)
        gone += [image for image in batch if image not in recorded]
    return gone


def abandoned(services: Services) -> int:
    """How many temporary files interrupted uploads and renditions have left; blocks on the disk."""
    return sum(files.count(ABANDONED_AFTER_SECONDS) for files in _temporary_files(services))


def remove_abandoned(services: Services) -> int:
    """Remove these files; returns how many they were. Blocks on the disk."""
    return sum(files.remove(ABANDONED_AFTER_SECONDS) for files in _temporary_files(services))


def _temporary_files(services: Services) -> tuple[AbandonedFiles, ...]:
    return services.staging.abandoned, services.renditions.abandoned


async def _is_unused(services: Services, sha256: str) -> bool:
    if await services.catalogue.read(leases.is_in_use, sha256, services.clock()):
        return False
    # It may have been deleted since it was listed.
    return await services.workers.disk(services.originals.stat, sha256) is not None
