"""Reading containers of placements: the holders of one, page by page, and which there are."""

from collections.abc import Sequence

from msgspec import Struct

from tintype.catalogue import Transaction, images, placements
from tintype.core.services import Services
from tintype.model import Caller, Image, NotFound, Placement
from tintype.model.ids import fold_uuid


class Page(Struct, frozen=True):
    """A part of a list, by offset; `limit` is the most that are returned."""

    offset: int
    limit: int


class Container(Struct, frozen=True):
    """A container, and those of its holders that were asked for.

    Attributes:
        holders: how many it has in all.
        newest: the highest number of an image in it.
        slots: those that its holders have, sorted; at most so many as were asked for.
        pages: the placements and images of each holder.
    """

    holders: int
    newest: int
    slots: Sequence[str]
    pages: Sequence[Sequence[tuple[Placement, Image]]]


async def read_container(
    services: Services,
    caller: Caller,
    kind: str,
    id: str,
    *,
    page: Page,
    holders: Sequence[str] | None = None,
    max_slots: int,
) -> Container:
    """Read a page of the holders of a container, or those of `holders` that it has.

    Raises:
        NotFound: when nothing is attached in it.
    """
    account = caller.account.id

    def read(tx: Transaction) -> Container:
        total, newest = placements.totals(tx, account, kind, id)
        if not total:
            raise NotFound("There is nothing at this path.")
        keys = [fold_uuid(holder) for holder in holders or ()]
        if holders is None:
            keys = placements.list_holders(tx, account, kind, id, page.offset, page.limit)
        rows: dict[str, list[tuple[Placement, Image]]] = {key: [] for key in keys}
        pairs = placements.in_holders(tx, account, kind, id, keys)
        by_number = images.by_numbers(tx, account, [number for _, number in pairs])
        for at, number in pairs:
            rows[fold_uuid(at.holder)].append((at, by_number[number]))
        slots = placements.list_slots(tx, account, kind, id, max_slots)
        return Container(total, newest, slots, [row for row in rows.values() if row])

    return await services.catalogue.read(read)


async def list_containers(services: Services, caller: Caller, kind: str, page: Page) -> tuple[int, list[str]]:
    """How many containers the account has, and a page of their ids."""
    account = caller.account.id

    def read(tx: Transaction) -> tuple[int, list[str]]:
        total = placements.count_containers(tx, account, kind)
        return total, placements.list_containers(tx, account, kind, page.offset, page.limit)

    return await services.catalogue.read(read)
