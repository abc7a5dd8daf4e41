"""Placeholders, allowed sizes, and the invalidation log."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns, and the table `changes`."""
    op.add_column("accounts", sa.Column("allowed_sizes", sa.Text()))
    op.add_column("images", sa.Column("thumbhash", sa.String(64)))
    op.add_column("images", sa.Column("colour", sa.String(7)))
    op.create_table(
        "changes",
        sa.Column("seq", sa.Integer(), primary_key=True),
        sa.Column("image", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sqlite_autoincrement=True,
    )
