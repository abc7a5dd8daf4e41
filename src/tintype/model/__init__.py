"""The values everybody speaks of, and the one vocabulary of errors: no SQL, no HTTP."""

from tintype.model.audit import Actor, AuditEntry
from tintype.model.caller import Account, Caller, Person, Role, Token, TokenKind
from tintype.model.error import Error, Kind, insufficient_storage
from tintype.model.image import Draft, Image, Place, Status, Version
from tintype.model.publication import Links, Publications

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
    "Role",
    "Status",
    "Token",
    "TokenKind",
    "Version",
    "insufficient_storage",
]
