"""Queries on the row that identifies the library."""

from datetime import datetime

from sqlalchemy import select

from tintype.catalogue.engine import Transaction
from tintype.catalogue.tables import library


async def made_at(tx: Transaction) -> datetime:
    """When the catalogue was created."""
    found: datetime = (await tx.execute(select(library.c.created_at))).scalar_one()
    return found
