"""The tables, in SQLAlchemy Core. Migrations bring a database to this state."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    false,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from tintype.catalogue.backends import KEYS_NEVER_REUSED

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Instant(TypeDecorator[datetime]):
    """A time as whole microseconds since 1970 UTC: portable between databases, and sortable."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002  SQLAlchemy's signature
        """The number stored for a time."""
        return None if value is None else (value - EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  SQLAlchemy's signature
        """The time of a stored number, in UTC."""
        return None if value is None else EPOCH + timedelta(microseconds=value)


metadata = MetaData()

# One row: the id of the library, and when this catalogue was created. Originals older than that were uploaded
# with an earlier catalogue.
library = Table(
    "library",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("created_at", Instant, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", String(255), nullable=False, unique=True),
    # Counted up from 1, for dialects whose clients know an account by a number.
    Column("number", Integer, nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    # The sizes that plain links of the account may request, such as `320x240,640x`; NULL is any.
    Column("allowed_sizes", Text),
    # Quotas; NULL is the default in the settings. max_pixel_seconds: seconds of render slots per minute.
    Column("max_bytes", BigInteger),
    Column("max_images", Integer),
    Column("max_uploads", Integer),
    Column("max_pixel_seconds", Integer),
    # Whether originals are delivered without their EXIF, GPS and XMP.
    Column("strips_metadata", Boolean, nullable=False, server_default=false()),
)

# The dialects through which an account's images are delivered. `links` is "plain" or "signed"; NULL is the
# default in the dialect's settings.
publications = Table(
    "publications",
    metadata,
    Column("account_id", Uuid, ForeignKey("accounts.id"), primary_key=True),
    Column("dialect", String(32), primary_key=True),
    Column("links", String(16)),
)

# Totals of an account's images, updated in the transactions that add, replace and delete them.
usage = Table(
    "usage",
    metadata,
    Column("account_id", Uuid, ForeignKey("accounts.id"), primary_key=True),
    Column("images", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
)

# Append-only. `actor` is a token's id or a command, `origin` a client's address or a local user, `details` a
# JSON object.
audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("event", String(64), nullable=False),
    Column("account", String(255)),
    Column("actor", String(255), nullable=False),
    Column("origin", String(255), nullable=False),
    Column("details", Text, nullable=False),
    Index("audit_by_account", "account", "seq"),
    **KEYS_NEVER_REUSED,
)

people = Table(
    "people",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", Uuid, ForeignKey("accounts.id"), nullable=False),
    Column("name", String(255), nullable=False),
    Column("folded", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("account_id", "name"),
    **KEYS_NEVER_REUSED,
)

# Programs that people give access to their account; see `model.oauth`.
oauth_apps = Table(
    "oauth_apps",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("dialect", String(32), nullable=False),
    Column("client_id", String(64), nullable=False, unique=True),
    Column("name", String(255), nullable=False),
    Column("redirect_url", String(2048), nullable=False),
    Column("secret_state", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
)

# Codes that apps exchange for tokens, until they expire. Used ones too: a second use is an attack.
oauth_codes = Table(
    "oauth_codes",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("app_id", Uuid, ForeignKey("oauth_apps.id"), nullable=False),
    Column("account_id", Uuid, ForeignKey("accounts.id"), nullable=False),
    Column("person_id", Integer, ForeignKey("people.id"), nullable=False),
    Column("scopes", String(1024), nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Column("used_at", Instant),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid, ForeignKey("accounts.id"), nullable=False),
    Column("person_id", Integer, ForeignKey("people.id"), nullable=False),
    Column("dialect", String(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("label", String(255), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("hint", String(8), nullable=False),
    Column("role", String(32), nullable=False),
    Column("scopes", String(1024), nullable=False),
    Column("issued_for", Uuid, ForeignKey("tokens.id")),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
    Column("app_id", Uuid, ForeignKey("oauth_apps.id")),
    # When a refresh token was exchanged, which is allowed once.
    Column("used_at", Instant),
    Index("tokens_by_app", "app_id", "person_id"),
)

images = Table(
    "images",
    metadata,
    # Never reused, even after a delete: public links contain it.
    Column("number", Integer, primary_key=True),
    Column("id", Uuid, nullable=False, unique=True),
    Column("account_id", Uuid, ForeignKey("accounts.id"), nullable=False),
    Column("filename", String(255), nullable=False),
    Column("name", String(255), nullable=False),
    Column("folded", Text, nullable=False),
    Column("extension", String(16), nullable=False),
    Column("format", String(16), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("frames", Integer, nullable=False),
    Column("has_alpha", Boolean, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_by", Integer, ForeignKey("people.id"), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("modified_by", Integer, ForeignKey("people.id"), nullable=False),
    Column("modified_at", Instant, nullable=False),
    # The placeholder shown while the picture loads: a ThumbHash in base64, and a colour as #rrggbb.
    Column("thumbhash", String(64)),
    Column("colour", String(7)),
    Index("images_by_modified", "account_id", "modified_at", "number"),
    Index("images_by_name", "account_id", "folded", "number"),
    Index("images_by_created", "account_id", "created_at", "number"),
    # With the account: otherwise SQLite searches all images of the account for the digest.
    Index("images_by_sha256", "sha256", "account_id"),
    # With both columns a batch of ids uses this index, whatever statistics the database has.
    Index("images_by_id", "account_id", "id", unique=True),
    Index("images_by_number", "account_id", "number"),
    **KEYS_NEVER_REUSED,
)

# Originals that are being stored ("put") or deleted now, until `expires_at`.
leases = Table(
    "leases",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("sha256", String(64), nullable=False, index=True),
    Column("purpose", String(16), nullable=False),
    Column("expires_at", Instant, nullable=False),
)

# Found by the keys of their ids (see `model.ids.fold_uuid`); the ids stay as they were first written.
placements = Table(
    "placements",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", Uuid, ForeignKey("accounts.id"), nullable=False),
    Column("image", Integer, ForeignKey("images.number", ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("container", String(128), nullable=False),
    Column("container_key", String(128), nullable=False),
    Column("holder", String(128), nullable=False),
    Column("holder_key", String(128), nullable=False),
    Column("slot", String(128), nullable=False),
    Column("alt_text", String(255), nullable=False),
    UniqueConstraint("account_id", "kind", "container_key", "holder_key", "slot"),
)

# Images whose delivery changed: deleted, replaced, archived; NULL: all images of the account. Every process
# polls new rows and invalidates its caches, so rows are needed for minutes only.
outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", Uuid, nullable=False),
    Column("image_id", Uuid),
    Column("at", Instant, nullable=False),
    **KEYS_NEVER_REUSED,
)
