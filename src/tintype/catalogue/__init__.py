"""The database: tables, queries, migrations, and all differences between databases."""

from tintype.catalogue.backends.sqlite_file import CATALOGUE, LOCK_TIMEOUT
from tintype.catalogue.database import Database
from tintype.catalogue.errors import CatalogueError
from tintype.catalogue.transaction import Transaction

__all__ = ["CATALOGUE", "LOCK_TIMEOUT", "CatalogueError", "Database", "Transaction"]
