"""Queries on accounts and their people."""

from datetime import datetime
from uuid import UUID

from msgspec import structs
from sqlalchemy import func, select, update

from tintype.catalogue.errors import CatalogueError
from tintype.catalogue.tables import accounts, people
from tintype.catalogue.transaction import Transaction
from tintype.model import Account, Person, QuotaOverrides
from tintype.model.names import fold

_QUOTAS = (
    accounts.c.max_bytes,
    accounts.c.max_images,
    accounts.c.max_uploads,
    accounts.c.max_pixel_seconds,
)
"""In the order of QuotaOverrides' fields."""

TRIES = 100
"""Most times to look for a number that no other transaction takes."""


def find(tx: Transaction, name: str) -> Account | None:
    """The account of that name; None if there is none."""
    row = tx.execute(select(accounts).where(accounts.c.name == name)).first()
    return None if row is None else Account(row.id, row.name, row.number)


def list_all(tx: Transaction) -> list[Account]:
    """All accounts, by name."""
    rows = tx.execute(select(accounts).order_by(accounts.c.name))
    return [Account(row.id, row.name, row.number) for row in rows]


def get_or_create(tx: Transaction, id: UUID, name: str, now: datetime) -> Account:
    """The account of that name; added if missing, with this id and the number after the highest."""
    next_number = select(func.coalesce(func.max(accounts.c.number), 0) + 1).scalar_subquery()
    row = tx.insert(accounts).values(id=id, name=name, number=next_number, created_at=now)
    for _ in range(TRIES):
        account = find(tx, name)
        if account is not None:
            return account
        # Another transaction may take the name or the number meanwhile: then once more.
        tx.execute(row.on_conflict_do_nothing())
    raise CatalogueError(f"The account {name!r} can't be added: its id is in use.")


def allowed_sizes(tx: Transaction, account: UUID) -> str | None:
    """The sizes that plain links of the account may request, as a string; None is any."""
    query = select(accounts.c.allowed_sizes).where(accounts.c.id == account)
    sizes: str | None = tx.execute(query).scalar_one_or_none()
    return sizes


def set_allowed_sizes(tx: Transaction, account: UUID, sizes: str | None) -> None:
    """Set the sizes that plain links of the account may request; None is any."""
    tx.execute(update(accounts).where(accounts.c.id == account).values(allowed_sizes=sizes))


def quotas(tx: Transaction, account: UUID) -> QuotaOverrides:
    """The quotas set for the account."""
    query = select(*_QUOTAS).where(accounts.c.id == account)
    row = tx.execute(query).first()
    return QuotaOverrides() if row is None else QuotaOverrides(*row)


def set_quotas(tx: Transaction, account: UUID, given: QuotaOverrides) -> None:
    """Set all quotas of the account."""
    values = dict(zip((column.name for column in _QUOTAS), structs.astuple(given), strict=True))
    tx.execute(update(accounts).where(accounts.c.id == account).values(**values))


def strips_metadata(tx: Transaction, account: UUID) -> bool:
    """Whether the account's originals are delivered without metadata."""
    query = select(accounts.c.strips_metadata).where(accounts.c.id == account)
    return bool(tx.execute(query).scalar_one_or_none())


def set_strips_metadata(tx: Transaction, account: UUID, *, strips: bool) -> None:
    """Set whether the account's originals are delivered without metadata."""
    tx.execute(update(accounts).where(accounts.c.id == account).values(strips_metadata=strips))


def get_or_create_person(tx: Transaction, account: UUID, name: str, now: datetime) -> Person:
    """The person of that name in the account; added if missing."""
    while (person := _find_person(tx, account, name)) is None:
        row = tx.insert(people).values(account_id=account, name=name, folded=fold(name), created_at=now)
        tx.execute(row.on_conflict_do_nothing(index_elements=[people.c.account_id, people.c.name]))
    return person


def _find_person(tx: Transaction, account: UUID, name: str) -> Person | None:
    query = select(people.c.id).where(people.c.account_id == account, people.c.name == name)
    id = tx.execute(query).scalar_one_or_none()
    return None if id is None else Person(id, name)
