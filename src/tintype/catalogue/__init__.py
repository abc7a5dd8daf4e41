"""The database: tables, queries, migrations, and all differences between databases."""

from tintype.catalogue.database import Database
from tintype.catalogue.errors import CatalogueError
from tintype.catalogue.transaction import Transaction

__all__ = ["CatalogueError", "Database", "Transaction"]
