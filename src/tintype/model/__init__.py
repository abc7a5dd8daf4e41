"""Values and errors shared by all layers above; no SQL, no HTTP."""

from tintype.model.audit import Actor, AuditEntry
from tintype.model.caller import Account, Caller, Person, Role, Token, TokenKind
from tintype.model.error import Error, Kind, insufficient_storage, no_such_image
from tintype.model.image import Image, LinkTarget, NewImage, Placement, Status
from tintype.model.publication import Links, Publications
from tintype.model.quota import QuotaOverrides, Quotas, Usage

__all__ = [
    "Account",
    "Actor",
    "AuditEntry",
    "Caller",
    "Error",
    "Image",
    "Kind",
    "LinkTarget",
    "Links",
    "NewImage",
    "Person",
    "Placement",
    "Publications",
    "QuotaOverrides",
    "Quotas",
    "Role",
    "Status",
    "Token",
    "TokenKind",
    "Usage",
    "insufficient_storage",
    "no_such_image",
]
