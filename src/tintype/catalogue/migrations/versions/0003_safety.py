"""The library, publications, quotas and usage; the audit log; indexes for batches and lists."""

import time
import uuid

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add tables, columns and indexes, and fill them from existing rows."""
    for name, kind in (
        ("max_bytes", sa.BigInteger()),
        ("max_images", sa.Integer()),
        ("max_uploads", sa.Integer()),
        ("max_pixel_seconds", sa.Integer()),
    ):
        op.add_column("accounts", sa.Column(name, kind))
    op.add_column(
        "accounts", sa.Column("strips_metadata", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    _library()
    _publications()
    _usage()
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer(), primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("account", sa.String(255)),
        sa.Column("actor", sa.String(255), nullable=False),
        sa.Column("origin", sa.String(255), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("audit_by_account", "audit", ["account", "seq"])
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_refuses_{change.lower()} BEFORE {change} ON audit "
            "BEGIN SELECT RAISE(ABORT, 'the audit log is only ever added to'); END"
        )
    # INSERT OR REPLACE deletes the row in its way, and fires no trigger for that.
    op.execute(
        "CREATE TRIGGER audit_refuses_replace BEFORE INSERT ON audit "
        "WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq) "
        "BEGIN SELECT RAISE(ABORT, 'the audit log is only ever added to'); END"
    )
    # Rows of it are of use for minutes only: nothing is lost.
    op.drop_table("changes")
    op.create_table(
        "changes",
        sa.Column("seq", sa.Integer(), primary_key=True),
        sa.Column("account", sa.Uuid(), nullable=False),
        sa.Column("image", sa.Uuid()),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sqlite_autoincrement=True,
    )
    # A store is no account's alone: placements have their account, and that is what tells them apart.
    op.drop_table("stores")
    op.create_index("images_by_id", "images", ["account_id", "id"], unique=True)
    op.create_index("images_by_number", "images", ["account_id", "number"])
    op.create_index("images_by_created", "images", ["account_id", "created_at", "number"])
    op.drop_index("images_by_sha256", "images")
    op.create_index("images_by_sha256", "images", ["sha256", "account_id"])


def _library() -> None:
    op.create_table(
        "library",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
    # An older catalogue is as old as its first account.
    first = op.get_bind().execute(sa.text("SELECT min(created_at) FROM accounts")).scalar()
    made = sa.table("library", sa.column("id", sa.Uuid()), sa.column("created_at", sa.BigInteger()))
    now = time.time_ns() // 1000
    op.bulk_insert(made, [{"id": uuid.uuid4(), "created_at": now if first is None else first}])


def _publications() -> None:
    op.create_table(
        "publications",
        sa.Column("account_id", sa.Uuid(), sa.ForeignKey("accounts.id"), primary_key=True),
        sa.Column("dialect", sa.String(32), primary_key=True),
        sa.Column("links", sa.String(16)),
    )
    op.execute(
        "INSERT INTO publications (account_id, dialect) "
        "SELECT DISTINCT account_id, dialect FROM tokens WHERE revoked_at IS NULL"
    )


def _usage() -> None:
    op.create_table(
        "usage",
        sa.Column("account_id", sa.Uuid(), sa.ForeignKey("accounts.id"), primary_key=True),
        sa.Column("images", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
    )
    op.execute(
        "INSERT INTO usage (account_id, images, bytes) "
        "SELECT account_id, count(*), sum(bytes) FROM images GROUP BY account_id"
    )
