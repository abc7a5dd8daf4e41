"""Placeholders for images that were recorded before there were any."""

from collections.abc import Callable

from msgspec import Struct

from tintype.catalogue import images
from tintype.core.choose import is_costly
from tintype.core.fairness import WorkEstimate
from tintype.core.house import House
from tintype.core.renderers import decode
from tintype.imaging import Placeholder
from tintype.model import Image

BATCH = 1000
"""Records read in one transaction."""


class Placeheld(Struct, frozen=True):
    """How many images there is a placeholder for now, and how many still lack one as theirs can't be read."""

    made: int
    unreadable: int


async def placehold(house: House, on_step: Callable[[], None] = lambda: None) -> Placeheld:
    """Make the placeholders that images lack, from their originals.

    Safe beside a running service, and when it is broken off: what is made is kept, and a second call goes on.

    Args:
        house: the house.
        on_step: called once an image, to show progress.

    Raises:
        Error: BUSY.
    """
    last, made, seen = 0, 0, 0
    while batch := await _lacking(house, last):
        for image in batch:
            made += await _placehold_one(house, image)
            seen += 1
            last = image.number
            on_step()
    return Placeheld(made, seen - made)


async def size(house: House) -> int:
    """How many steps `placehold` takes, at the most."""
    async with house.catalogue.read() as tx:
        return await images.count_bare(tx)


async def _lacking(house: House, after: int) -> list[Image]:
    async with house.catalogue.read() as tx:
        return await images.bare(tx, after, BATCH)


async def _placehold_one(house: House, image: Image) -> bool:
    """Answers whether the original could be read."""
    pixels = image.width * image.height * image.frames
    work = WorkEstimate(image.account_id, pixels, costly=is_costly(image.format, pixels))
    found = await decode(house.workers, work, _placeholder, house, image.sha256)
    if found is None:
        return False
    async with house.catalogue.write() as tx:
        await images.placehold(tx, image.sha256, found.thumbhash, found.colour)
    return True


def _placeholder(memory: int, house: House, sha256: str) -> Placeholder | None:
    try:
        with house.originals.path(sha256).open("rb") as source:
            # No limits: it was accepted when it came, perhaps under others.
            found = house.renderers.examine(source.fileno(), None, memory)
    except FileNotFoundError:
        return None
    return found.facts.placeholder if found.facts else None
