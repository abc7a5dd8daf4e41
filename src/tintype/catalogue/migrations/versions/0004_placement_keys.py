"""Numbers of accounts; the outbox; leases; OAuth apps; placements whose UUIDs are compared without case."""

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
    _oauth()


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


def _oauth() -> None:
    op.create_table(
        "oauth_apps",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("dialect", sa.String(32), nullable=False),
        sa.Column("client_id", sa.String(64), nullable=False, unique=True),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("redirect_url", sa.String(2048), nullable=False),
        sa.Column("secret_state", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger()),
    )
    op.create_table(
        "oauth_codes",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("app_id", sa.Uuid(), sa.ForeignKey("oauth_apps.id"), nullable=False),
        sa.Column("account_id", sa.Uuid(), sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("person_id", sa.Integer(), sa.ForeignKey("people.id"), nullable=False),
        sa.Column("scopes", sa.String(1024), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger()),
    )
    op.create_index("ix_oauth_codes_expires_at", "oauth_codes", ["expires_at"])
    # Not a batch, which would copy the table: SQLite can add a column that may be NULL with its foreign key.
    op.execute("ALTER TABLE tokens ADD COLUMN app_id CHAR(32) REFERENCES oauth_apps (id)")
    op.add_column("tokens", sa.Column("used_at", sa.BigInteger()))
    op.create_index("tokens_by_app", "tokens", ["app_id", "person_id"])


def _key(column: str) -> str:
    return f"CASE WHEN {column} GLOB '{_UUID}' THEN lower({column}) ELSE {column} END"
