"""Reading the library: one image, a page of a list, the images attached at a placement."""

from collections.abc import AsyncIterator
from uuid import UUID

from tintype.catalogue import Transaction, images, placements
from tintype.core.access.accounts import get_account
from tintype.core.services import Services
from tintype.model import Caller, Image, Placement, no_such_image
from tintype.model.list_query import ListQuery


async def find_image(services: Services, caller: Caller, id: UUID) -> Image:
    """One image of the caller's account.

    Raises:
        NotFound: when the account has no such image.
    """
    return await services.catalogue.read(require_image, caller.account.id, id)


def require_image(tx: Transaction, account: UUID, id: UUID, *, for_update: bool = False) -> Image:
    """One image of an account, within a transaction; `for_update` as for `images.get`.

    Raises:
        NotFound: when the account has no such image.
    """
    image = images.get(tx, account, id, for_update=for_update)
    if image is None:
        raise no_such_image()
    return image


async def find_any(services: Services, key: UUID | int) -> Image:
    """One image of any account, by id or number; for operators.

    Raises:
        NotFound: when there is no such image.
    """
    image = await services.catalogue.read(images.find, key)
    if image is None:
        raise no_such_image()
    return image


async def list_page(services: Services, caller: Caller, query: ListQuery) -> tuple[int, list[Image]]:
    """How many of the account's images match a query, and those of the requested page."""
    return await services.catalogue.read(images.list_page, caller.account.id, query)


async def newest_images(services: Services, caller: Caller, before: int | None, limit: int) -> list[Image]:
    """The account's images with numbers below `before`, newest first."""
    return await services.catalogue.read(images.list_newest, caller.account.id, before, limit)


async def all_images(
    services: Services, account: str | None, selection: ListQuery
) -> AsyncIterator[tuple[str, Image]]:
    """All images that match, newest first, with the names of their accounts; for operators.

    Args:
        services: the services.
        account: the name of an account; None: all accounts.
        selection: the filters; `limit` images are read at a time.

    Raises:
        NotFound: when there is no such account.
    """
    owner = None if account is None else (await services.catalogue.read(get_account, account)).id
    before = None
    while page := await services.catalogue.read(images.list_matching, owner, selection, before):
        for each in page:
            yield each
        before = page[-1][1].number


async def attached(services: Services, caller: Caller, placement: Placement) -> list[tuple[Placement, Image]]:
    """The images attached at the placement's holder, in the order in which they were attached."""

    def read(tx: Transaction) -> list[tuple[Placement, Image]]:
        pairs = placements.attached(tx, caller.account.id, placement)
        by_number = images.by_numbers(tx, caller.account.id, [number for _, number in pairs])
        return [(at, by_number[number]) for at, number in pairs]

    return await services.catalogue.read(read)
