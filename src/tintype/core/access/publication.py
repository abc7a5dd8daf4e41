"""The dialects through which the images of an account are delivered, and the kind of links of each."""

from collections.abc import Collection
from datetime import datetime

from tintype.catalogue import Transaction, outbox, publications
from tintype.core.access import audit
from tintype.core.access.accounts import get_account
from tintype.core.services import Services
from tintype.model import Account, Actor, Links, NotFound, Publications
from tintype.model.audit import Event


async def published(services: Services, name: str) -> Publications:
    """The publications of the account of this name.

    Raises:
        NotFound: when there is no such account.
    """
    return await services.catalogue.read(lambda tx: publications.get(tx, get_account(tx, name).id))


async def unpublished(services: Services) -> list[str]:
    """The names of the accounts without publications: no link to their images is valid."""
    return await services.catalogue.read(publications.accounts_without)


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
        NotFound: when there is no such account.
    """

    def change(tx: Transaction) -> Publications:
        account, now = get_account(tx, name), services.clock()
        return change_publications(tx, account, dialects, actor, now, add=add, remove=remove)

    return await services.catalogue.write(change)


def change_publications(
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
    present, given = set(publications.get(tx, account.id)), set(dialects)
    wanted = present | given if add else present - given if remove else given
    for dialect in wanted - present:
        publications.add(tx, account.id, dialect)
    for dialect in present - wanted:
        publications.remove(tx, account.id, dialect)
    if present - wanted:
        # Additions need no invalidation: the cache never refuses.
        outbox.record_account(tx, account.id, now)
    if present != wanted:
        changed = {"before": sorted(present), "after": sorted(wanted)}
        audit.record(tx, now, actor, Event.PUBLICATION_CHANGED, account.name, **changed)
    return publications.get(tx, account.id)


async def set_links(
    services: Services, name: str, dialect: str, links: Links | None, actor: Actor
) -> Publications:
    """Set the kind of the account's links of a dialect; None: as in the settings.

    When they are signed, unsigned ones become invalid in all processes within a second.

    Raises:
        NotFound: when there is no such account, or it doesn't publish through the dialect.
    """

    def change(tx: Transaction) -> Publications:
        account = get_account(tx, name)
        present = publications.get(tx, account.id)
        if dialect not in present:
            raise NotFound(f"The account {name!r} doesn't publish through {dialect}.")
        publications.set_links(tx, account.id, dialect, links)
        now, changed = services.clock(), {"dialect": dialect, "before": present[dialect], "after": links}
        outbox.record_account(tx, account.id, now)
        audit.record(tx, now, actor, Event.LINKS_CHANGED, name, **changed)
        return publications.get(tx, account.id)

    return await services.catalogue.write(change)
