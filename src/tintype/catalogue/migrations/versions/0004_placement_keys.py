"""Numbers of accounts; the outbox; leases; placements whose UUIDs are compared without case."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_DIGIT = "[0-9a-zA-Z]"
_UUID = "-".join(_DIGIT * count for count in (8, 4, 4, 4, 12))


def upgrade() -> None:
    """Add tables and columns, and fill them from existing rows."""
    _account_numbers()
    # Its rows are of use for minutes only: nothing is lost.
    op.drop_table("changes")
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("image_id", sa.Uuid()),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "leases",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_leases_sha256", "leases", ["sha256"])
    _placement_keys()


def _account_numbers() -> None:
    """A number replaces the id in one dialect's format, `02-` and the number plus 2 * 10^14."""
    op.add_column("accounts", sa.Column("number", sa.Integer()))
    op.execute("UPDATE accounts SET number = CAST(substr(external_id, 4) AS INTEGER) - 200000000000000")
    with op.batch_alter_table("accounts") as batch:
        batch.alter_column("number", nullable=False)
        batch.create_unique_constraint("accounts_by_number", ["number"])
        batch.drop_column("external_id")


def _placement_keys() -> None:
    """Placements are found by keys, in which UUIDs are in lower case, and keep their ids as they came.

    Of two that differ in case alone the newer one stays; the image of the other is no longer attached.
    """
    op.create_table(
        "keyed_placements",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("account_id", sa.Uuid(), sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("image", sa.Integer(), sa.ForeignKey("images.number", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("container", sa.String(128), nullable=False),
        sa.Column("container_key", sa.String(128), nullable=False),
        sa.Column("holder", sa.String(128), nullable=False),
        sa.Column("holder_key", sa.String(128), nullable=False),
        sa.Column("slot", sa.String(128), nullable=False),
        sa.Column("alt_text", sa.String(255), nullable=False),
        sa.UniqueConstraint("account_id", "kind", "container_key", "holder_key", "slot"),
    )
    op.execute(
        "INSERT OR REPLACE INTO keyed_placements "  # noqa: S608  our own texts
        f"SELECT id, account_id, image, kind, container, {_key('container')}, holder, {_key('holder')}, "
        "slot, alt_text FROM placements ORDER BY id"
    )
    op.drop_table("placements")
    op.rename_table("keyed_placements", "placements")
    op.create_index("ix_placements_image", "placements", ["image"])


def _key(column: str) -> str:
    return f"CASE WHEN {column} GLOB '{_UUID}' THEN lower({column}) ELSE {column} END"
