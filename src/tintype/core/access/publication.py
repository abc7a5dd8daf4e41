"""The dialects through which the images of an account are delivered, and the kind of links of each."""

from collections.abc import Collection
from datetime import datetime

from tintype.catalogue import changes, publications
from tintype.catalogue.engine import Transaction
from tintype.core.access import audit
from tintype.core.access.accounts import get_account
from tintype.core.services import Services
from tintype.model import Account, Actor, Links, NotFound, Publications
from tintype.model.audit import Event


async def published(services: Services, name: str) -> Publications:
    """The publications of the account of this name.

    Raises:
        Error: NOT_FOUND when there is no such account.
    """
    async with services.catalogue.read() as tx:
        return await publications.get(tx, (await get_account(tx, name)).id)


async def unpublished(services: Services) -> list[str]:
    """The names of the accounts without publications: no link to their images is valid."""
    return await services.catalogue.query(publications.accounts_without)


async def publish(
    services: Services,
    name: str,
    dialects: Collection[str],
    actor: Actor,
    *,
    add: bool = False,
    remove: bool = False,
) -> Publications:
    """Publish the account's images through exactly these dialects; or `add` or `remove` these.

    Links of removed dialects become invalid in all processes within a second. The others keep their kind of
    links.

    Raises:
        Error: NOT_FOUND when there is no such account.
    """
    async with services.catalogue.write() as tx:
        account = await get_account(tx, name)
        return await change_publications(
            tx, account, dialects, actor, services.clock(), add=add, remove=remove
        )


async def change_publications(
    tx: Transaction,
    account: Account,
    dialects: Collection[str],
    actor: Actor,
    now: datetime,
    *,
    add: bool = False,
    remove: bool = False,
) -> Publications:
    """As `publish`, inside a transaction."""
    present, given = set(await publications.get(tx, account.id)), set(dialects)
    wanted = present | given if add else present - given if remove else given
    for dialect in wanted - present:
        await publications.add(tx, account.id, dialect)
    for dialect in present - wanted:
        await publications.remove(tx, account.id, dialect)
    if present - wanted:
        # Additions need no invalidation: the cache never refuses.
        await changes.record_account(tx, account.id, now)
    if present != wanted:
        changed = {"before": sorted(present), "after": sorted(wanted)}
        await audit.record(tx, now, actor, Event.PUBLICATION_CHANGED, account.name, **changed)
    return await publications.get(tx, account.id)


async def set_links(
    services: Services, name: str, dialect: str, links: Links | None, actor: Actor
) -> Publications:
    """Set the kind of the account's links of a dialect; None: as in the settings.

    When they are signed, unsigned ones become invalid in all processes within a second.

    Raises:
        Error: NOT_FOUND when there is no such account, or it doesn't publish through the dialect.
    """
    async with services.catalogue.write() as tx:
        account = await get_account(tx, name)
        present = await publications.get(tx, account.id)
        if dialect not in present:
            raise NotFound(f"The account {name!r} doesn't publish through {dialect}.")
        await publications.set_links(tx, account.id, dialect, links)
        now, changed = services.clock(), {"dialect": dialect, "before": present[dialect], "after": links}
        await changes.record_account(tx, account.id, now)
        await audit.record(tx, now, actor, Event.LINKS_CHANGED, name, **changed)
        return await publications.get(tx, account.id)
