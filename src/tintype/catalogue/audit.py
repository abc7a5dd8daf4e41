"""Queries on the audit log. It is append-only: the database refuses to update or delete its rows."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, insert, select

from tintype.catalogue.tables import audit
from tintype.catalogue.transaction import Transaction
from tintype.model import Actor, AuditEntry


class AuditFilter(Struct, frozen=True):
    """Filters of the audit log: earliest time, name of the account, event; None is any."""

    since: datetime | None = None
    account: str | None = None
    event: str | None = None


def add(
    tx: Transaction, at: datetime, actor: Actor, event: str, account: str | None, details: Mapping[str, Any]
) -> None:
    """Add an entry."""
    values = {"at": at, "event": event, "account": account, "details": msgspec.json.encode(details).decode()}
    tx.execute(insert(audit).values(**values, actor=actor.name, origin=actor.origin))


def list_after(tx: Transaction, seq: int, audit_filter: AuditFilter, limit: int) -> list[AuditEntry]:
    """Up to `limit` matching entries with a sequence number above `seq`, oldest first."""
    conditions: list[ColumnElement[bool]] = [audit.c.seq > seq]
    if audit_filter.since is not None:
        conditions.append(audit.c.at >= audit_filter.since)
    if audit_filter.account is not None:
        conditions.append(audit.c.account == audit_filter.account)
    if audit_filter.event is not None:
        conditions.append(audit.c.event == audit_filter.event)
    query = select(audit).where(*conditions).order_by(audit.c.seq).limit(limit)
    return [
        AuditEntry(
            seq=row.seq,
            at=row.at,
            event=row.event,
            account=row.account,
            actor=Actor(row.actor, row.origin),
            details=msgspec.json.decode(row.details),
        )
        for row in tx.execute(query)
    ]
