"""Reading the library: one image, a page of a list, the images attached at a placement."""

from uuid import UUID

from tintype.catalogue import Transaction, images, placements
from tintype.core.services import Services
from tintype.model import Caller, Image, Placement, no_such_image
from tintype.model.list_query import ListQuery


async def find_image(services: Services, caller: Caller, id: UUID) -> Image:
    """One image of the caller's account.

    Raises:
        NotFound: when the account has no such image.
    """
    image = await services.catalogue.read(images.get, caller.account.id, id)
    if image is None:
        raise no_such_image()
    return image


async def list_page(services: Services, caller: Caller, query: ListQuery) -> tuple[int, list[Image]]:
    """How many of the account's images match a query, and those of the requested page."""
    return await services.catalogue.read(images.list_page, caller.account.id, query)


async def newest_images(services: Services, caller: Caller, before: int | None, limit: int) -> list[Image]:
    """The account's images with numbers below `before`, newest first."""
    return await services.catalogue.read(images.list_newest, caller.account.id, before, limit)


async def attached(services: Services, caller: Caller, placement: Placement) -> list[tuple[Placement, Image]]:
    """The images attached at the placement's holder, in the order in which they were attached."""

    def read(tx: Transaction) -> list[tuple[Placement, Image]]:
        pairs = placements.attached(tx, caller.account.id, placement)
        by_number = images.by_numbers(tx, caller.account.id, [number for _, number in pairs])
        return [(at, by_number[number]) for at, number in pairs]

    return await services.catalogue.read(read)
