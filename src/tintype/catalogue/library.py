"""Queries on the row that identifies the library."""

from datetime import datetime

from sqlalchemy import select

from tintype.catalogue.tables import library
from tintype.catalogue.transaction import Transaction


def made_at(tx: Transaction) -> datetime:
    """When the catalogue was created."""
    created_at: datetime = tx.execute(select(library.c.created_at)).scalar_one()
    return created_at
