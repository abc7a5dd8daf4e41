"""The records: tables, queries, migrations, and every difference between databases."""

from tintype.catalogue.engine import Database

__all__ = ["Database"]
