"""Queries on placements: where images are attached."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, delete, func, select

from tintype.catalogue.tables import images, placements
from tintype.catalogue.transaction import Transaction, batches
from tintype.model import Placement
from tintype.model.ids import fold_uuid

_PLACE = ("account_id", "kind", "container_key", "holder_key", "slot")
"""What is unique."""


def attach(tx: Transaction, account: UUID, image: int, placement: Placement) -> bool:
    """Attach an image (by number) to a placement; False if an image is already attached there."""
    values = {
        "account_id": account,
        "image": image,
        "kind": placement.kind,
        "container": placement.container,
        "container_key": fold_uuid(placement.container),
        "holder": placement.holder,
        "holder_key": fold_uuid(placement.holder),
        "slot": placement.slot,
        "alt_text": placement.alt_text,
    }
    taken = tx.insert(placements).values(**values).on_conflict_do_nothing(index_elements=_PLACE)
    return tx.execute(taken.returning(placements.c.id)).first() is not None


def clear(tx: Transaction, account: UUID, placement: Placement) -> None:
    """Detach the image at exactly this placement; the image itself stays."""
    tx.execute(delete(placements).where(*_at(account, placement), placements.c.slot == placement.slot))


def attached(tx: Transaction, account: UUID, placement: Placement) -> list[tuple[Placement, int]]:
    """The placements at all slots of this holder with their images' numbers, in the order of attachment."""
    rows = tx.execute(select(placements).where(*_at(account, placement)).order_by(placements.c.id))
    return [(_placement(row), row.image) for row in rows]


def is_attached(
    tx: Transaction, account: UUID, placement: Placement, image: UUID, *, slot: str | None = None
) -> bool:
    """Whether this image is attached to this slot of the holder; None: to any."""
    query = select(placements.c.id).join(images, images.c.number == placements.c.image)
    query = query.where(*_at(account, placement), images.c.id == image)
    if slot is not None:
        query = query.where(placements.c.slot == slot)
    return tx.execute(query).first() is not None


def detach(tx: Transaction, account: UUID, image: UUID, placement: Placement) -> bool:
    """Detach this image from exactly this placement; False if it is not attached there."""
    own = select(images.c.number).where(images.c.account_id == account, images.c.id == image)
    there = (*_at(account, placement), placements.c.slot == placement.slot)
    gone = delete(placements).where(*there, placements.c.image == own.scalar_subquery())
    return tx.execute(gone.returning(placements.c.id)).first() is not None


def totals(tx: Transaction, account: UUID, kind: str, container: str) -> tuple[int, int]:
    """How many holders a container has, and the highest number of their images; zeros without any."""
    holders, newest = func.count(placements.c.holder_key.distinct()), func.max(placements.c.image)
    query = select(holders.label("holders"), newest.label("newest")).where(*_in(account, kind, container))
    row = tx.execute(query).first()
    return (0, 0) if row is None else (row.holders, row.newest or 0)


def list_holders(
    tx: Transaction, account: UUID, kind: str, container: str, offset: int, limit: int
) -> list[str]:
    """A page of the keys of the holders of a container, in the order of their first attachment."""
    query = select(placements.c.holder_key).where(*_in(account, kind, container))
    query = query.group_by(placements.c.holder_key).order_by(func.min(placements.c.id))
    return [row.holder_key for row in tx.execute(query.offset(offset).limit(limit))]


def in_holders(
    tx: Transaction, account: UUID, kind: str, container: str, holders: Sequence[str]
) -> list[tuple[Placement, int]]:
    """The placements at these holders (keys) with their images' numbers, in the order of attachment."""
    found: list[Row[Any]] = []
    for batch in batches(holders):
        query = select(placements).where(*_in(account, kind, container), placements.c.holder_key.in_(batch))
        found += tx.execute(query)
    return [(_placement(row), row.image) for row in sorted(found, key=lambda row: row.id)]


def list_slots(tx: Transaction, account: UUID, kind: str, container: str, limit: int) -> list[str]:
    """The first slots that the holders of a container have, sorted."""
    query = select(placements.c.slot).where(*_in(account, kind, container)).distinct()
    return [row.slot for row in tx.execute(query.order_by(placements.c.slot).limit(limit))]


def list_containers(tx: Transaction, account: UUID, kind: str, offset: int, limit: int) -> list[str]:
    """A page of the containers of an account, sorted by their keys."""
    query = select(placements.c.container_key).where(*_of_kind(account, kind)).distinct()
    rows = tx.execute(query.order_by(placements.c.container_key).offset(offset).limit(limit))
    return [row.container_key for row in rows]


def count_containers(tx: Transaction, account: UUID, kind: str) -> int:
    """The number of containers of an account."""
    query = select(func.count(placements.c.container_key.distinct())).where(*_of_kind(account, kind))
    number: int = tx.execute(query).scalar_one()
    return number


def of_image(tx: Transaction, image: int) -> list[Placement]:
    """All placements of an image (by number), in the order of attachment."""
    rows = tx.execute(select(placements).where(placements.c.image == image).order_by(placements.c.id))
    return [_placement(row) for row in rows]


def count(tx: Transaction, image: int) -> int:
    """The number of placements of an image (by number)."""
    query = select(func.count()).select_from(placements).where(placements.c.image == image)
    number: int = tx.execute(query).scalar_one()
    return number


def _placement(row: Row[Any]) -> Placement:
    return Placement(row.kind, row.container, row.holder, row.slot, row.alt_text)


def _of_kind(account: UUID, kind: str) -> tuple[ColumnElement[bool], ...]:
    return placements.c.account_id == account, placements.c.kind == kind


def _in(account: UUID, kind: str, container: str) -> tuple[ColumnElement[bool], ...]:
    return *_of_kind(account, kind), placements.c.container_key == fold_uuid(container)


def _at(account: UUID, placement: Placement) -> tuple[ColumnElement[bool], ...]:
    return (
        placements.c.account_id == account,
        placements.c.kind == placement.kind,
        placements.c.container_key == fold_uuid(placement.container),
        placements.c.holder_key == fold_uuid(placement.holder),
    )
