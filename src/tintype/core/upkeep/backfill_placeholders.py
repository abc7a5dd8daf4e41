"""Placeholders for images that were recorded before this feature."""

from collections.abc import Callable

from msgspec import Struct

from tintype.catalogue import images
from tintype.core.delivery.variant import is_costly
from tintype.core.runtime.fair_queue import WorkEstimate
from tintype.core.runtime.renderers import decode
from tintype.core.services import Services
from tintype.imaging import Placeholder
from tintype.imaging.sandbox.pool import Allowance
from tintype.model import Image

BATCH = 1000
"""Records read in one transaction."""


class BackfillResult(Struct, frozen=True):
    """How many images got a placeholder, and how many did not as their originals can't be read."""

    made: int
    unreadable: int


async def backfill_placeholders(
    services: Services, on_step: Callable[[], None] = lambda: None
) -> BackfillResult:
    """Make the placeholders that images lack, from their originals.

    Safe beside a running service, and when interrupted: a second call continues.

    Args:
        on_step: called once per image, to show progress.

    Raises:
        Overloaded: when there is no slot in time.
    """
    last, made, seen = 0, 0, 0
    while batch := await _without_placeholder(services, last):
        for image in batch:
            made += await _backfill_one(services, image)
            seen += 1
            last = image.number
            on_step()
    return BackfillResult(made, seen - made)


async def count_steps(services: Services) -> int:
    """How many steps `backfill_placeholders` takes at most."""
    return await services.catalogue.read(images.count_without_placeholder)


async def _without_placeholder(services: Services, after: int) -> list[Image]:
    return await services.catalogue.read(images.without_placeholder, after, BATCH)


async def _backfill_one(services: Services, image: Image) -> bool:
    """Return whether the original could be read."""
    pixels = image.width * image.height * image.frames
    work = WorkEstimate(image.account_id, pixels, costly=is_costly(image.format, pixels))
    placeholder = await decode(services.workers, work, _placeholder, services, image.sha256)
    if placeholder is None:
        return False
    await services.catalogue.write(
        images.set_placeholder, image.sha256, placeholder.thumbhash, placeholder.colour
    )
    return True


def _placeholder(allowance: Allowance, services: Services, sha256: str) -> Placeholder | None:
    try:
        with services.originals.open(sha256) as source:
            # No limits: it was accepted on upload, perhaps under other limits.
            examined = services.renderers.examine(source.fileno(), None, allowance)
    except FileNotFoundError:
        return None
    return examined.info.placeholder if examined.info else None
