"""Which images are delivered otherwise than before: told where it changes, read by every process."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, insert, literal, select

from tintype.catalogue.engine import Transaction
from tintype.catalogue.tables import Instant, changes, images

MAX_ROWS = 10_000
"""Changes that are kept. A process that reads so late that it misses some sees the gap in their numbers."""


async def record(tx: Transaction, account: UUID, image: UUID, now: datetime) -> None:
    """Tell, in the transaction that changes it, that an image of the account is delivered otherwise.

    Before the image is deleted: of one that isn't there nothing is told.
    """
    columns = select(images.c.account_id, images.c.id, literal(now, Instant))
    own = columns.where(images.c.account_id == account, images.c.id == image)
    await tx.execute(insert(changes).from_select(["account", "image", "at"], own))
    await _drop_old(tx)


async def record_account(tx: Transaction, account: UUID, now: datetime) -> None:
    """Tell, in the transaction that changes it, that all images of an account are delivered otherwise."""
    await tx.execute(insert(changes).values(account=account, image=None, at=now))
    await _drop_old(tx)


async def _drop_old(tx: Transaction) -> None:
    newest = select(func.max(changes.c.seq)).scalar_subquery()
    await tx.execute(delete(changes).where(changes.c.seq <= newest - MAX_ROWS))


async def latest(tx: Transaction) -> int:
    """The number of the newest change; 0 before the first."""
    found: int | None = (await tx.execute(select(func.max(changes.c.seq)))).scalar_one()
    return found or 0


async def since(tx: Transaction, seq: int) -> list[tuple[int, UUID | None]]:
    """Number and image (None: all of an account) of each change behind `seq`, in order.

    A gap in the numbers is what was dropped.
    """
    query = select(changes.c.seq, changes.c.image).where(changes.c.seq > seq).order_by(changes.c.seq)
    return [(row.seq, row.image) for row in await tx.execute(query)]
