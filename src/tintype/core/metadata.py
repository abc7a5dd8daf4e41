"""Whether originals of an account are delivered without their metadata."""

from uuid import UUID

from tintype.catalogue import accounts, changes
from tintype.core import audit
from tintype.core.browse import account_named
from tintype.core.house import House
from tintype.model import Actor
from tintype.model.audit import Event


async def strips_metadata(house: House, name: str) -> bool:
    """Whether originals of the account of this name are delivered without their metadata.

    Raises:
        Error: MISSING.
    """
    async with house.catalogue.read() as tx:
        return await accounts.strips_metadata(tx, (await account_named(tx, name)).id)


async def is_stripped(house: House, account: UUID) -> bool:
    """The same by the account's id, remembered until anything in the catalogue changes."""
    page, key = house.memory.page(), ("strips-metadata", account)
    if key not in page:
        page[key] = await house.catalogue.ask(lambda tx: accounts.strips_metadata(tx, account))
    return bool(page[key])


async def set_strips_metadata(house: House, name: str, actor: Actor, *, strips: bool) -> None:
    """Deliver originals of the account without their metadata, or as they came; in every process in a second.

    Raises:
        Error: MISSING.
    """
    async with house.catalogue.write() as tx:
        account = await account_named(tx, name)
        before = await accounts.strips_metadata(tx, account.id)
        if before is strips:
            return
        await accounts.set_strips_metadata(tx, account.id, strips=strips)
        now = house.clock()
        await changes.note_account(tx, account.id, now)
        await audit.record(
            tx, now, actor, Event.METADATA_CHANGED, name, before=_kept(before), after=_kept(strips)
        )


def _kept(strips: bool) -> str:  # noqa: FBT001  the one thing that it tells of
    return "stripped" if strips else "kept"
