"""Dropping all that was made of an image, with a receipt. The image stays, and its links open as before."""

from uuid import UUID

from msgspec import Struct

from tintype.catalogue import changes, images
from tintype.core.browse import no_such_image, one
from tintype.core.disk_space import with_reserve
from tintype.core.house import House
from tintype.imaging import Format, row
from tintype.model import Caller, Image

_FORMATS = {row(format).extensions[0]: format for format in Format}


class Removed(Struct, frozen=True):
    """A rendition that was removed: of which version of the image, by which recipe (its fingerprint)."""

    version: int
    recipe: str
    format: Format
    bytes: int


class Receipt(Struct, frozen=True):
    """What a purge removed from the disk."""

    image: Image
    removed: tuple[Removed, ...]

    def bytes(self) -> int:
        """The bytes of all of it."""
        return sum(each.bytes for each in self.removed)


async def purge(house: House, caller: Caller, id: UUID) -> Receipt:
    """Remove every rendition of an image of the caller's account.

    It is out of this process's memory on return, and out of every other's within a second. What is being
    made meanwhile, and what is asked for afterwards, is made anew: it is not in the receipt.

    Raises:
        Error: MISSING when the account has no such image.
    """
    return await _purge(house, await one(house, caller, id))


async def purge_any(house: House, key: UUID | int) -> Receipt:
    """As `purge`, for who owns the library: of any account's image, by id or number.

    Raises:
        Error: MISSING when there is no such image.
    """
    async with house.catalogue.read() as tx:
        image = await images.find(tx, key)
    if image is None:
        raise no_such_image()
    return await _purge(house, image)


async def _purge(house: House, image: Image) -> Receipt:
    # Files before memory: nobody can fetch into memory again what was to go.
    kept = await house.workers.disk(house.renditions.forget, image.id)
    await with_reserve(house, lambda: _note(house, image))
    house.facts.forget(image.id)
    removed = (
        Removed(each.version, each.recipe, _FORMATS[each.extension], each.bytes)
        for each in kept
        if each.extension in _FORMATS
    )
    return Receipt(image, tuple(removed))


async def _note(house: House, image: Image) -> None:
    async with house.catalogue.write() as tx:
        await changes.note(tx, image.account_id, image.id, house.clock())
