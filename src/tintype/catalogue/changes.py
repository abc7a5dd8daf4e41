"""Invalidation log, written in the transaction that changes an image, and polled by all processes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, insert, literal, select

from tintype.catalogue.tables import Instant, changes, images
from tintype.catalogue.transaction import Transaction

MAX_ROWS = 10_000
"""Number of changes kept. A process that polls so late that it misses some sees a gap in the numbers."""


def record(tx: Transaction, account: UUID, image: UUID, now: datetime) -> None:
    """Record that the delivery of an image of the account changes; in the same transaction as the change.

    Call it before deleting the image: nothing is recorded for an image that does not exist.
    """
    columns = select(images.c.account_id, images.c.id, literal(now, Instant))
    own = columns.where(images.c.account_id == account, images.c.id == image)
    tx.execute(insert(changes).from_select(["account", "image", "at"], own))
    _drop_old(tx)


def record_account(tx: Transaction, account: UUID, now: datetime) -> None:
    """Record that the delivery of all images of an account changes; in the same transaction as the change."""
    tx.execute(insert(changes).values(account=account, image=None, at=now))
    _drop_old(tx)


def _drop_old(tx: Transaction) -> None:
    newest = select(func.max(changes.c.seq)).scalar_subquery()
    tx.execute(delete(changes).where(changes.c.seq <= newest - MAX_ROWS))


def latest(tx: Transaction) -> int:
    """The sequence number of the newest change; 0 if there is none."""
    found: int | None = tx.execute(select(func.max(changes.c.seq))).scalar_one()
    return found or 0


def since(tx: Transaction, seq: int) -> list[tuple[int, UUID | None]]:
    """Sequence number and image (None: all of an account) of each change after `seq`, in order.

    A gap after `seq` means that changes were dropped.
    """
    query = select(changes.c.seq, changes.c.image).where(changes.c.seq > seq).order_by(changes.c.seq)
    return [(row.seq, row.image) for row in tx.execute(query)]
