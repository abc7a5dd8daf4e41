"""Queries on accounts' usage: totals that `images` updates in its own transactions."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select

from tintype.catalogue.tables import accounts, images, usage
from tintype.catalogue.transaction import Transaction
from tintype.model import Usage


def add(tx: Transaction, account: UUID, *, count: int, size: int) -> None:
    """Add to an account's totals; negative numbers subtract."""
    row = tx.insert(usage).values(account_id=account, images=count, bytes=size)
    sums = {"images": usage.c.images + count, "bytes": usage.c.bytes + size}
    tx.execute(row.on_conflict_do_update(index_elements=[usage.c.account_id], set_=sums))


def get(tx: Transaction, account: UUID) -> Usage:
    """The usage of an account."""
    row = tx.execute(select(usage).where(usage.c.account_id == account)).first()
    return Usage() if row is None else Usage(row.images, row.bytes)


def mismatches(tx: Transaction) -> list[str]:
    """The names of the accounts whose stored totals differ from their images. It reads all images."""
    return [account.name for account, _, _ in _miscounted(tx)]


def repair(tx: Transaction) -> None:
    """Correct the totals that `mismatches` finds."""
    for account, stored, actual in _miscounted(tx):
        add(tx, account.id, count=actual.images - stored.images, size=actual.bytes - stored.bytes)


def _miscounted(tx: Transaction) -> list[tuple[Row[Any], Usage, Usage]]:
    """The accounts, with their stored and their actual totals."""
    sums = (func.count().label("images"), func.sum(images.c.bytes).label("bytes"))
    counted = tx.execute(select(images.c.account_id, *sums).group_by(images.c.account_id))
    actual = {row.account_id: Usage(row.images, row.bytes) for row in counted}
    stored = {row.account_id: Usage(row.images, row.bytes) for row in tx.execute(select(usage))}
    owners = tx.execute(select(accounts.c.id, accounts.c.name).order_by(accounts.c.name))
    both = [(owner, stored.get(owner.id, Usage()), actual.get(owner.id, Usage())) for owner in owners]
    return [(owner, found, real) for owner, found, real in both if found != real]
