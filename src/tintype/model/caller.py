"""Who asks: account, person, token, role and scopes."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from tintype.model.audit import Actor
from tintype.model.publication import Links


class Account(Struct, frozen=True):
    """The tenant that owns images. `external_id` is its name towards the evotor dialect."""

    id: UUID
    name: str
    external_id: str


class Person(Struct, frozen=True):
    """Somebody of an account who uploads or edits; `id` is a small integer, as clients expect."""

    id: int
    name: str


class Role(StrEnum):
    """What a person is, in the words of the publisher contract; `VIEWER` may read nothing there."""

    SUPER_ADMIN = "super-admin"
    SYSTEM_ADMIN = "system-admin"
    CAMPAIGN_ADMIN = "campaign-admin"
    INTERNAL_SYSTEM_ADMIN = "internal-system-admin"
    CHANNEL_ADMIN = "channel-admin"
    EDITOR = "editor"
    VIEWER = "viewer"


class TokenKind(StrEnum):
    """An access token lets a caller in; a client token names the program an access token was issued for."""

    ACCESS = "access"
    CLIENT = "client"


class Token(Struct, frozen=True):
    """A credential as the catalogue knows it: never the secret itself, only its last characters.

    `published` says whether the account publishes through the dialect now; `links` what its links there are,
    None as the settings say.
    """

    id: UUID
    account: Account
    person: Person
    dialect: str
    kind: TokenKind
    label: str
    hint: str
    role: Role
    scopes: frozenset[str]
    issued_for: UUID | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    published: bool = True
    links: Links | None = None


class Caller(Struct, frozen=True):
    """Who asks, once a token was accepted. Every query is scoped to `account`.

    `origin` is the address of the client, or the user of this machine who gave a command.
    `links` is what the account's links of the dialect are; None: as the settings say.
    """

    account: Account
    person: Person
    token_id: UUID
    dialect: str
    role: Role
    scopes: frozenset[str]
    origin: str = ""
    links: Links | None = None

    @property
    def actor(self) -> Actor:
        """Who asks, as the audit log tells it."""
        return Actor(str(self.token_id), self.origin)
