"""Entries of the audit log: who changed what, when, and from where."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct


class Event(StrEnum):
    """The kinds of events in the audit log."""

    TOKEN_CREATED = "token-created"  # noqa: S105  a name, no secret
    TOKEN_REVOKED = "token-revoked"  # noqa: S105  the same
    TOKEN_REUSED = "token-reused"  # noqa: S105  the same
    APP_CREATED = "app-created"
    APP_REVOKED = "app-revoked"
    APP_AUTHORIZED = "app-authorized"
    KEY_ADDED = "key-added"
    KEY_RETIRED = "key-retired"
    IMAGE_DELETED = "image-deleted"
    IMAGE_REPLACED = "image-replaced"
    PUBLICATION_CHANGED = "publication-changed"
    LINKS_CHANGED = "links-changed"
    METADATA_CHANGED = "metadata-changed"
    SIZES_CHANGED = "sizes-changed"
    QUOTAS_CHANGED = "quotas-changed"


class Actor(Struct, frozen=True):
    """Who made a change: a token id and its client's address, or a command and the user who ran it.

    Examples: `Actor("0192…", "192.0.2.7")`, `Actor("tintype token revoke", "anna")`.
    """

    name: str
    origin: str


class AuditEntry(Struct, frozen=True):
    """One line of the audit log; `account` is the name of the account it concerns, None if there is none."""

    seq: int
    at: datetime
    event: str
    account: str | None
    actor: Actor
    details: dict[str, Any]
