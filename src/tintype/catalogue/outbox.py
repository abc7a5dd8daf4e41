"""The outbox: whose delivery changed, written in the transaction that changes it, read by all processes.

Numbers follow the order in which rows are written, not that of the commits: where transactions write side by
side, as in PostgreSQL, a lower number can become visible after a higher one. So a reader that asks only for
numbers above the last one misses rows. Ours remembers the numbers in between that it has not seen, and asks
for these again until no transaction that is open can have them. It costs nothing where numbers have no gaps,
as in SQLite, whose write transactions follow one another; a second step that gives positions to committed
rows would be one more write, and sync, for each change.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from sqlalchemy import delete, func, insert, literal, select

from tintype.catalogue.tables import Instant, images, outbox
from tintype.catalogue.transaction import Transaction, batches

MAX_ROWS = 10_000
"""Number of rows kept. A reader so late that it misses some sees it by their numbers."""
OPEN_SECONDS = 600.0
"""Longer than any transaction is open: then a number that was not seen is of one that was rolled back."""


def record(tx: Transaction, account: UUID, image: UUID, now: datetime) -> None:
    """Record that the delivery of an image of the account changes; in the same transaction as the change.

    Call it before deleting the image: nothing is recorded for an image that does not exist.
    """
    columns = select(images.c.account_id, images.c.id, literal(now, Instant))
    own = columns.where(images.c.account_id == account, images.c.id == image)
    tx.execute(insert(outbox).from_select(["account_id", "image_id", "at"], own))
    _drop_old(tx)


def record_account(tx: Transaction, account: UUID, now: datetime) -> None:
    """Record that the delivery of all images of an account changes; in the same transaction as the change."""
    tx.execute(insert(outbox).values(account_id=account, image_id=None, at=now))
    _drop_old(tx)


class Changes(Struct, frozen=True):
    """What a reader has not seen before.

    Attributes:
        images: the images whose delivery changed; None: all images of an account.
        missed: whether there were more, which are no longer kept.
    """

    images: tuple[UUID | None, ...] = ()
    missed: bool = False


class OutboxReader:
    """The place of one reader, which begins at the present. For one thread."""

    def __init__(self) -> None:
        self._newest: int | None = None
        self._unseen: dict[int, float] = {}

    def read(self, tx: Transaction, now: float) -> Changes:
        """What was committed since the last call; nothing at the first call.

        Args:
            tx: the transaction.
            now: the monotonic time.
        """
        if self._newest is None:
            self._begin(tx, now)
            return Changes()
        rows = _late(tx, self._unseen) | _after(tx, self._newest)
        missed = self._advance(rows.keys(), self._newest, now)
        return Changes(tuple(rows.values()), missed)

    def _begin(self, tx: Transaction, now: float) -> None:
        newest = tx.execute(select(func.max(outbox.c.id))).scalar_one() or 0
        kept = _after(tx, newest - MAX_ROWS)
        self._advance(kept.keys(), max(0, newest - MAX_ROWS), now)

    def _advance(self, seen: Collection[int], newest: int, now: float) -> bool:
        """Note which numbers were seen, and which between them were not; return whether rows were missed."""
        self._newest = max(newest, *seen) if seen else newest
        dropped = self._newest - MAX_ROWS
        missed = newest < dropped or any(number <= dropped for number in self._unseen)
        between = range(max(newest, dropped) + 1, self._newest)
        unseen = dict.fromkeys(between, now + OPEN_SECONDS) | self._unseen
        self._unseen = {
            number: until
            for number, until in unseen.items()
            if number not in seen and number > dropped and until > now
        }
        return missed


def _drop_old(tx: Transaction) -> None:
    newest = select(func.max(outbox.c.id)).scalar_subquery()
    tx.execute(delete(outbox).where(outbox.c.id <= newest - MAX_ROWS))


def _after(tx: Transaction, newest: int) -> dict[int, UUID | None]:
    """Number and image of the rows after a number, in order."""
    query = select(outbox.c.id, outbox.c.image_id).where(outbox.c.id > newest).order_by(outbox.c.id)
    return {row.id: row.image_id for row in tx.execute(query)}


def _late(tx: Transaction, unseen: Iterable[int]) -> dict[int, UUID | None]:
    """Number and image of those rows that have become visible meanwhile."""
    rows: dict[int, UUID | None] = {}
    for batch in batches(unseen):
        query = select(outbox.c.id, outbox.c.image_id).where(outbox.c.id.in_(batch))
        rows |= {row.id: row.image_id for row in tx.execute(query)}
    return rows
