"""Leases on originals: what is being stored or deleted now, outside of any transaction.

A lease is a row that a process writes before it works on an original, and drops afterwards; when it is killed
the lease expires. A lease to put is ended in the transaction that records the original, which fails when the
lease was dropped meanwhile. The holder of a lease to delete has to start well before it expires.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import delete, insert, select

from tintype.catalogue import images
from tintype.catalogue.tables import leases
from tintype.catalogue.transaction import Transaction

PUT_SECONDS = 600.0
"""The longest time between the start of an upload's storage and its record."""
DELETE_SECONDS = 30.0
"""Uploads of the same bytes wait so long for a process that was killed while it deleted them."""


class Purpose(StrEnum):
    """What a lease is for."""

    PUT = "put"
    DELETE = "delete"


def begin_put(tx: Transaction, sha256: str, now: datetime) -> UUID | None:
    """Lease an original that will be stored and recorded; None while it is being deleted.

    Until the lease ends the original is not deleted.
    """
    tx.lock(sha256)
    if _is_leased(tx, sha256, (Purpose.DELETE,), now):
        return None
    return _begin(tx, sha256, Purpose.PUT, now, PUT_SECONDS)


def begin_delete(tx: Transaction, sha256: str, now: datetime) -> UUID | None:
    """Lease an original that will be deleted; None when it is in use: see `is_in_use`.

    Until the lease ends no upload stores the same bytes.
    """
    tx.lock(sha256)
    # Those of killed processes. What is dropped can't be ended: an upload that took so long records nothing.
    tx.execute(delete(leases).where(leases.c.expires_at <= now))
    if is_in_use(tx, sha256, now):
        return None
    return _begin(tx, sha256, Purpose.DELETE, now, DELETE_SECONDS)


def end(tx: Transaction, lease: UUID) -> bool:
    """End a lease; False if it has expired and was dropped."""
    dropped = delete(leases).where(leases.c.id == lease).returning(leases.c.id)
    return tx.execute(dropped).first() is not None


def is_in_use(tx: Transaction, sha256: str, now: datetime) -> bool:
    """Whether an image refers to an original, or it is being stored or deleted."""
    # In this order: when a lease ends, the image that it was for is there.
    return _is_leased(tx, sha256, tuple(Purpose), now) or images.is_referenced(tx, sha256)


def _is_leased(tx: Transaction, sha256: str, purposes: tuple[Purpose, ...], now: datetime) -> bool:
    held = (leases.c.sha256 == sha256, leases.c.purpose.in_(purposes), leases.c.expires_at > now)
    return tx.execute(select(leases.c.id).where(*held).limit(1)).first() is not None


def _begin(tx: Transaction, sha256: str, purpose: Purpose, now: datetime, seconds: float) -> UUID:
    lease, expires_at = uuid4(), now + timedelta(seconds=seconds)
    tx.execute(insert(leases).values(id=lease, sha256=sha256, purpose=purpose, expires_at=expires_at))
    return lease
