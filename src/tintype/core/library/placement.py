"""Attaches images to placements, each of which has the rules of its dialect."""

from uuid import UUID

from tintype.catalogue import Transaction, placements
from tintype.core.delivery.disk_space import with_reserve
from tintype.core.library.browse import find_any, require_image
from tintype.core.services import Services
from tintype.model import (
    Caller,
    Conflict,
    Image,
    InvalidField,
    NewImage,
    NotFound,
    Placement,
    QuotaExceeded,
)


async def attach(services: Services, caller: Caller, id: UUID, placement: Placement) -> None:
    """Attach an image of the caller's account to a placement; nothing changes if it is there already.

    Raises:
        NotFound: when the account has no such image.
        InvalidField: when no dialect has this kind of placements.
        Error: when the ids of the placement are not such as its dialect has.
        Conflict: when the image breaks a rule of the placement, or another image is attached there.
        QuotaExceeded: when it is attached to too many placements.
    """
    await _attach(services, caller.account.id, id, placement)


async def attach_any(services: Services, key: UUID | int, placement: Placement) -> None:
    """As `attach`, for operators: any account's image, by id or number."""
    image = await find_any(services, key)
    await _attach(services, image.account_id, image.id, placement)


async def detach(services: Services, caller: Caller, id: UUID, placement: Placement) -> None:
    """Detach an image of the caller's account from a placement; the image itself stays.

    Raises:
        NotFound: when it is not attached there.
    """
    await _detach(services, caller.account.id, id, placement)


async def detach_any(services: Services, key: UUID | int, placement: Placement) -> None:
    """As `detach`, for operators: any account's image, by id or number."""
    image = await find_any(services, key)
    await _detach(services, image.account_id, image.id, placement)


async def list_placements(services: Services, caller: Caller, id: UUID) -> list[Placement]:
    """The placements of an image of the caller's account, in the order in which it was attached.

    Raises:
        NotFound: when the account has no such image.
    """

    def read(tx: Transaction) -> list[Placement]:
        return placements.of_image(tx, require_image(tx, caller.account.id, id).number)

    return await services.catalogue.read(read)


def require_rules(services: Services, placement: Placement, image: Image | NewImage) -> None:
    """Check that an image may be attached to a placement, whatever way it came in.

    Raises:
        Conflict: when it breaks a rule; the message says all that it breaks.
    """
    kind = services.placement_kinds.get(placement.kind)
    broken = [] if kind is None else list(kind.violations(image))
    if broken:
        raise Conflict(f"The image can't be attached to a {placement.kind}. {' '.join(broken)}")


def _require_kind(services: Services, placement: Placement) -> None:
    kind = services.placement_kinds.get(placement.kind)
    if kind is None:
        known = " or ".join(sorted(services.placement_kinds)) or "of a dialect that is not installed"
        raise InvalidField("kind", f"kind has to be {known}.")
    kind.require_valid(placement)


async def _attach(services: Services, account: UUID, id: UUID, placement: Placement) -> None:
    _require_kind(services, placement)
    await with_reserve(services, lambda: services.catalogue.write(_record, services, account, id, placement))


async def _detach(services: Services, account: UUID, id: UUID, placement: Placement) -> None:
    if not await with_reserve(
        services, lambda: services.catalogue.write(placements.detach, account, id, placement)
    ):
        raise NotFound("This image is not attached there.")


def _record(tx: Transaction, services: Services, account: UUID, id: UUID, placement: Placement) -> None:
    # Locked: its bytes are not replaced between the check and the insert.
    image = require_image(tx, account, id, for_update=True)
    require_rules(services, placement, image)
    if placements.attach(tx, account, image.number, placement):
        most = services.images.max_placements
        if placements.count(tx, image.number) > most:
            raise QuotaExceeded(f"An image can be attached to {most} places at the same time.")
    elif not placements.is_attached(tx, account, placement, id, slot=placement.slot):
        raise occupied()


def occupied() -> Conflict:
    """The error for a placement at which another image is attached."""
    return Conflict("There is an image at this place already; delete it first.")
