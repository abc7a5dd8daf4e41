"""The audit log: who changed what, when, and from where."""

from collections.abc import AsyncIterator
from datetime import datetime

from tintype.catalogue import Transaction, audit
from tintype.catalogue.audit import AuditFilter
from tintype.core.access.accounts import get_account
from tintype.core.services import Services
from tintype.model import Actor, AuditEntry
from tintype.model.audit import Event

BATCH = 1000
"""Entries read in one transaction."""


def record(
    tx: Transaction,
    /,
    now: datetime,
    actor: Actor,
    event: Event,
    account: str | None = None,
    **details: object,
) -> None:
    """Add an entry, in the transaction of the change.

    Args:
        tx: the transaction.
        now: the time.
        actor: who, and from where.
        event: what.
        account: the name of the account that it concerns, if any.
        details: further fields; JSON values, no secrets.
    """
    audit.add(tx, now, actor, event.value, account, details)


async def entries(services: Services, audit_filter: AuditFilter) -> AsyncIterator[AuditEntry]:
    """The entries that match a filter, oldest first, read in short transactions.

    Raises:
        NotFound: when there is no such account.
    """
    if audit_filter.account is not None:
        await services.catalogue.read(get_account, audit_filter.account)
    seq = 0
    while True:
        batch = await services.catalogue.read(audit.list_after, seq, audit_filter, BATCH)
        for entry in batch:
            yield entry
        if len(batch) < BATCH:
            return
        seq = batch[-1].seq
