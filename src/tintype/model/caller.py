"""The caller of an API: account, person, token, role and scopes."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from tintype.model.audit import Actor
from tintype.model.publication import Links


class Account(Struct, frozen=True):
    """The tenant that owns images. `number`, counted up from 1, is for clients that know it by a number."""

    id: UUID
    name: str
    number: int


class Person(Struct, frozen=True):
    """A user of an account who uploads or edits; `id` is a small integer, as clients expect."""

    id: int
    name: str


class TokenKind(StrEnum):
    """An access token authenticates a caller; a client token identifies the program it was issued for.

    A refresh token gets an OAuth app the next access token.
    """

    ACCESS = "access"
    CLIENT = "client"
    REFRESH = "refresh"


class Token(Struct, frozen=True):
    """A credential as stored in the catalogue: never the secret itself, only its last characters (`hint`).

    `role` is a role of the dialect, empty where it has none.
    `published` says whether the account currently publishes through the dialect; `links` is the kind of its
    links there, None for the default in the settings. `app_id` is the OAuth app that it was issued to;
    `used_at` is when a refresh token was exchanged.
    """

    id: UUID
    account: Account
    person: Person
    dialect: str
    kind: TokenKind
    label: str
    hint: str
    role: str
    scopes: frozenset[str]
    issued_for: UUID | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    published: bool = True
    links: Links | None = None
    app_id: UUID | None = None
    used_at: datetime | None = None


class Caller(Struct, frozen=True):
    """The authenticated caller. Every query is scoped to `account`.

    `origin` is the client's address, or the local user who ran a command. `links` is the kind of the
    account's links in the dialect; None is the default in the settings.
    """

    account: Account
    person: Person
    token_id: UUID
    dialect: str
    role: str
    scopes: frozenset[str]
    origin: str = ""
    links: Links | None = None

    @property
    def actor(self) -> Actor:
        """The caller as recorded in the audit log."""
        return Actor(str(self.token_id), self.origin)
