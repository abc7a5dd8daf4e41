"""Queries on accounts and their people."""

from datetime import datetime
from uuid import UUID

from msgspec import structs
from sqlalchemy import func, insert, select, update

from tintype.catalogue.engine import Transaction
from tintype.catalogue.tables import accounts, people
from tintype.model import Account, Person, QuotaOverrides
from tintype.model.names import fold

_QUOTAS = (
    accounts.c.max_bytes,
    accounts.c.max_images,
    accounts.c.max_uploads,
    accounts.c.max_pixel_seconds,
)
"""In the order of QuotaOverrides' fields."""


async def find(tx: Transaction, name: str) -> Account | None:
    """The account of that name; None if there is none."""
    row = (await tx.execute(select(accounts).where(accounts.c.name == name))).first()
    return None if row is None else Account(row.id, row.name, row.external_id)


async def list_all(tx: Transaction) -> list[Account]:
    """All accounts, by name."""
    rows = await tx.execute(select(accounts).order_by(accounts.c.name))
    return [Account(row.id, row.name, row.external_id) for row in rows]


async def add(tx: Transaction, id: UUID, name: str, now: datetime) -> Account:
    """Add an account. Its external id has evotor's format: `02-` and 15 digits, counted up."""
    count = (await tx.execute(select(func.count()).select_from(accounts))).scalar_one()
    account = Account(id, name, f"02-{200_000_000_000_000 + count + 1}")
    await tx.execute(
        insert(accounts).values(id=id, name=name, external_id=account.external_id, created_at=now)
    )
    return account


async def allowed_sizes(tx: Transaction, account: UUID) -> str | None:
    """The sizes that plain links of the account may request, as a string; None is any."""
    query = select(accounts.c.allowed_sizes).where(accounts.c.id == account)
    sizes: str | None = (await tx.execute(query)).scalar_one_or_none()
    return sizes


async def set_allowed_sizes(tx: Transaction, account: UUID, sizes: str | None) -> None:
    """Set the sizes that plain links of the account may request; None is any."""
    await tx.execute(update(accounts).where(accounts.c.id == account).values(allowed_sizes=sizes))


async def quotas(tx: Transaction, account: UUID) -> QuotaOverrides:
    """The quotas set for the account."""
    query = select(*_QUOTAS).where(accounts.c.id == account)
    row = (await tx.execute(query)).first()
    return QuotaOverrides() if row is None else QuotaOverrides(*row)


async def set_quotas(tx: Transaction, account: UUID, given: QuotaOverrides) -> None:
    """Set all quotas of the account."""
    values = dict(zip((column.name for column in _QUOTAS), structs.astuple(given), strict=True))
    await tx.execute(update(accounts).where(accounts.c.id == account).values(**values))


async def strips_metadata(tx: Transaction, account: UUID) -> bool:
    """Whether the account's originals are delivered without metadata."""
    query = select(accounts.c.strips_metadata).where(accounts.c.id == account)
    return bool((await tx.execute(query)).scalar_one_or_none())


async def set_strips_metadata(tx: Transaction, account: UUID, *, strips: bool) -> None:
    """Set whether the account's originals are delivered without metadata."""
    await tx.execute(update(accounts).where(accounts.c.id == account).values(strips_metadata=strips))


async def get_or_create_person(tx: Transaction, account: UUID, name: str, now: datetime) -> Person:
    """The person of that name in the account; added if missing."""
    found = (
        await tx.execute(select(people.c.id).where(people.c.account_id == account, people.c.name == name))
    ).scalar_one_or_none()
    if found is None:
        values = {"account_id": account, "name": name, "folded": fold(name), "created_at": now}
        found = (await tx.execute(insert(people).values(**values))).key()
    return Person(found, name)
