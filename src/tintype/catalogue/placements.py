"""Queries on where images hang."""

from uuid import UUID

from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.exc import IntegrityError

from tintype.catalogue.engine import Transaction
from tintype.catalogue.tables import images, placements
from tintype.model import Place


async def hang(tx: Transaction, account: UUID, image: int, place: Place) -> bool:
    """Hang an image (by number) at a place; False if another image hangs there."""
    values = {
        "account_id": account,
        "image": image,
        "kind": place.kind,
        "container": place.container,
        "holder": place.holder,
        "slot": place.slot,
        "alt_text": place.alt_text,
    }
    try:
        await tx.execute(insert(placements).values(**values))
    except IntegrityError:
        return False
    return True


async def clear(tx: Transaction, account: UUID, place: Place) -> None:
    """Take down what hangs at exactly this place; the image itself stays."""
    await tx.execute(delete(placements).where(*_at(account, place), placements.c.slot == place.slot))


async def hanging(tx: Transaction, account: UUID, place: Place) -> list[tuple[Place, int]]:
    """What hangs at every slot of the place's holder, with the images' numbers, in the order it was hung."""
    rows = await tx.execute(select(placements).where(*_at(account, place)).order_by(placements.c.id))
    return [(Place(row.kind, row.container, row.holder, row.slot, row.alt_text), row.image) for row in rows]


async def hangs(tx: Transaction, account: UUID, place: Place, image: UUID) -> bool:
    """Whether this image hangs at this holder."""
    query = select(placements.c.id).join(images, images.c.number == placements.c.image)
    return (await tx.execute(query.where(*_at(account, place), images.c.id == image))).first() is not None


def _at(account: UUID, place: Place) -> tuple[ColumnElement[bool], ...]:
    return (
        placements.c.account_id == account,
        placements.c.kind == place.kind,
        placements.c.container == place.container,
        placements.c.holder == place.holder,
    )
