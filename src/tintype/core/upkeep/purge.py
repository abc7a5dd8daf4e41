"""Removes all renditions of an image, with a receipt. The image and its links stay."""

from uuid import UUID

from msgspec import Struct

from tintype.catalogue import outbox
from tintype.core.delivery.disk_space import with_reserve
from tintype.core.library.browse import find_any, find_image
from tintype.core.services import Services
from tintype.imaging import Format, spec
from tintype.model import Caller, Image

_FORMATS = {spec(format).extensions[0]: format for format in Format}


class Removed(Struct, frozen=True):
    """A removed rendition: the version of the image, and the fingerprint of the recipe."""

    version: int
    recipe: str
    format: Format
    bytes: int


class Receipt(Struct, frozen=True):
    """What a purge removed from the disk."""

    image: Image
    removed: tuple[Removed, ...]

    def bytes(self) -> int:
        """The bytes of all removed renditions."""
        return sum(each.bytes for each in self.removed)


async def purge(services: Services, caller: Caller, id: UUID) -> Receipt:
    """Remove every rendition of an image of the caller's account.

    On return the caches of this process are invalidated; those of other processes within a second. Renditions
    made meanwhile or afterwards are not in the receipt.

    Raises:
        NotFound: when the account has no such image.
    """
    return await _purge(services, await find_image(services, caller, id))


async def purge_any(services: Services, key: UUID | int) -> Receipt:
    """As `purge`, for operators: of any account's image, by id or number.

    Raises:
        NotFound: when there is no such image.
    """
    return await _purge(services, await find_any(services, key))


async def _purge(services: Services, image: Image) -> Receipt:
    # Files before caches: otherwise a request could cache a file again.
    removed_files = await services.workers.disk(services.renditions.remove_image, image.id)
    await with_reserve(
        services,
        lambda: services.catalogue.write(outbox.record, image.account_id, image.id, services.clock()),
    )
    services.record_cache.invalidate(image.id)
    removed = (
        Removed(each.version, each.recipe, _FORMATS[each.extension], each.bytes)
        for each in removed_files
        if each.extension in _FORMATS
    )
    return Receipt(image, tuple(removed))
