"""Queries on the dialects that accounts publish through."""

from functools import lru_cache
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    delete,
    exists,
    func,
    select,
    update,
)

from tintype.catalogue.tables import accounts, publications, usage
from tintype.catalogue.transaction import Transaction
from tintype.model import Links, Publications

_IS, _AND = "=", " "


def get(tx: Transaction, account: UUID) -> Publications:
    """The dialects that an account publishes through, sorted by name."""
    query = select(publications).where(publications.c.account_id == account).order_by(publications.c.dialect)
    return {row.dialect: read_links(row.links) for row in tx.execute(query)}


def accounts_without(tx: Transaction) -> list[str]:
    """The names of the accounts that have images but publish through no dialect."""
    published = exists().where(publications.c.account_id == accounts.c.id)
    holds = exists().where(usage.c.account_id == accounts.c.id, usage.c.images > 0)
    query = select(accounts.c.name).where(holds, ~published).order_by(accounts.c.name)
    return [row.name for row in tx.execute(query)]


def add(tx: Transaction, account: UUID, dialect: str) -> None:
    """Publish through a dialect; no effect if the account already does."""
    row = tx.insert(publications).values(account_id=account, dialect=dialect)
    tx.execute(row.on_conflict_do_nothing(index_elements=["account_id", "dialect"]))


def remove(tx: Transaction, account: UUID, dialect: str) -> None:
    """Stop publishing through a dialect."""
    own = (publications.c.account_id == account, publications.c.dialect == dialect)
    tx.execute(delete(publications).where(*own))


def set_links(tx: Transaction, account: UUID, dialect: str, links: Links | None) -> None:
    """Set the kind of links of a publication; None is the default in the settings."""
    own = (publications.c.account_id == account, publications.c.dialect == dialect)
    tx.execute(update(publications).where(*own).values(links=None if links is None else links.value))


def packed(account: ColumnElement[UUID]) -> ScalarSelect[str]:
    """A subquery with an account's publications as one string; `read_packed` decodes it."""
    pair = publications.c.dialect + _IS + func.coalesce(publications.c.links, "")
    own = publications.c.account_id == account
    return select(func.aggregate_strings(pair, _AND)).where(own).scalar_subquery()


@lru_cache(1000)
def read_packed(text: str) -> Publications:
    """Decode the string of `packed`. Cached: there are few different ones."""
    pairs = (each.partition(_IS) for each in text.split(_AND))
    return {dialect: read_links(links or None) for dialect, _, links in pairs}


def read_links(text: str | None) -> Links | None:
    """Decode the column `links`."""
    return None if text is None else Links(text)
