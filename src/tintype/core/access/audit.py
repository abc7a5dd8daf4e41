"""The audit log: who changed what, when, and from where."""

from collections.abc import AsyncIterator
from datetime import datetime

from tintype.catalogue import audit
from tintype.catalogue.audit import AuditFilter
from tintype.catalogue.engine import Transaction
from tintype.core.access.accounts import get_account
from tintype.core.services import Services
from tintype.model import Actor, AuditEntry
from tintype.model.audit import Event

BATCH = 1000
"""Entries read in one transaction."""


async def record(
    tx: Transaction,
    now: datetime,
    actor: Actor,
    event: Event,
    account: str | None = None,
    **details: object,
) -> None:
    """Add an entry, in the transaction that makes the change.

    Args:
        tx: the transaction.
        now: when.
        actor: who, and from where.
        event: what.
        account: the name of the account that it is about, if it is about one.
        details: whatever tells more; values that JSON has, no secrets.
    """
    await audit.add(tx, now, actor, event.value, account, details)


async def entries(services: Services, asked: AuditFilter) -> AsyncIterator[AuditEntry]:
    """The entries that are asked for, oldest first, read in short transactions.

    Raises:
        Error: NOT_FOUND when there is no such account.
    """
    if asked.account is not None:
        async with services.catalogue.read() as tx:
            await get_account(tx, asked.account)
    seq = 0
    while True:
        async with services.catalogue.read() as tx:
            batch = await audit.list_after(tx, seq, asked, BATCH)
        for entry in batch:
            yield entry
        if len(batch) < BATCH:
            return
        seq = batch[-1].seq
