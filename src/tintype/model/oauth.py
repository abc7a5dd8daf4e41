"""OAuth 2 (RFC 6749): apps, and the codes that they get tokens for."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from tintype.model.caller import Account, Person


class OAuthApp(Struct, frozen=True):
    """A program that people may give access to their account.

    Attributes:
        client_id: how it names itself, public.
        name: what people are shown.
        redirect_url: where the browser is sent with the code.
        secret_state: what is stored of its secret; see `core.access.app_secret`.
    """

    id: UUID
    dialect: str
    client_id: str
    name: str
    redirect_url: str
    secret_state: str
    created_at: datetime
    revoked_at: datetime | None = None


class OAuthCode(Struct, frozen=True):
    """What a person allowed an app, until it gets tokens for the code, of which a digest is stored."""

    app_id: UUID
    account: Account
    person: Person
    scopes: frozenset[str]
    expires_at: datetime
    used_at: datetime | None = None
