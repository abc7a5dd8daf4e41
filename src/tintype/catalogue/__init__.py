"""The database: tables, queries, migrations, and all differences between databases."""

from tintype.catalogue.engine import Database

__all__ = ["Database"]
