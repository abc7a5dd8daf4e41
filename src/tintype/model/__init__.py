"""The values everybody speaks of, and the one vocabulary of errors: no SQL, no HTTP."""

from tintype.model.audit import Actor, AuditEntry
from tintype.model.caller import Account, Caller, Person, Role, Token, TokenKind
from tintype.model.error import Error, Kind, insufficient_storage
from tintype.model.image import Draft, Image, Place, Status, Version
from tintype.model.publication import Links, Publications
from tintype.model.quota import QuotaOverrides, Quotas, Usage

__all__ = [
    "Account",
    "Actor",
    "AuditEntry",
    "Caller",
    "Draft",
    "Error",
    "Image",
    "Kind",
    "Links",
    "Person",
    "Place",
    "Publications",
    "QuotaOverrides",
    "Quotas",
    "Role",
    "Status",
    "Token",
    "TokenKind",
    "Usage",
    "Version",
    "insufficient_storage",
]
