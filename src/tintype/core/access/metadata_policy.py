"""Whether originals of an account are delivered without their metadata."""

from uuid import UUID

from tintype.catalogue import Transaction, accounts, outbox
from tintype.core.access import audit
from tintype.core.access.accounts import get_account
from tintype.core.services import Services
from tintype.model import Actor
from tintype.model.audit import Event


async def strips_metadata(services: Services, name: str) -> bool:
    """Whether originals of the account of this name are delivered without their metadata.

    Raises:
        NotFound: when there is no such account.
    """
    return await services.catalogue.read(lambda tx: accounts.strips_metadata(tx, get_account(tx, name).id))


async def strips_metadata_by_id(services: Services, account: UUID) -> bool:
    """The same by the account's id, cached until anything in the catalogue changes."""
    return await services.query_cache.get(
        ("strips-metadata", account), lambda: services.catalogue.read(accounts.strips_metadata, account)
    )


async def set_strips_metadata(services: Services, name: str, actor: Actor, *, strips: bool) -> None:
    """Deliver originals of the account without their metadata, or unchanged; everywhere within a second.

    Raises:
        NotFound: when there is no such account.
    """
    await services.catalogue.write(_set_strips_metadata, services, name, actor, strips=strips)


def _set_strips_metadata(
    tx: Transaction, services: Services, name: str, actor: Actor, *, strips: bool
) -> None:
    account = get_account(tx, name)
    before = accounts.strips_metadata(tx, account.id)
    if before is strips:
        return
    accounts.set_strips_metadata(tx, account.id, strips=strips)
    now = services.clock()
    outbox.record_account(tx, account.id, now)
    changed = {"before": _policy_name(before), "after": _policy_name(strips)}
    audit.record(tx, now, actor, Event.METADATA_CHANGED, name, **changed)


def _policy_name(strips: bool) -> str:  # noqa: FBT001  its only argument
    return "stripped" if strips else "kept"
