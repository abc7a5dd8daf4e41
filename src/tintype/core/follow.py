"""Which image a link names: out of memory as long as that is true, and the following that keeps it true."""

import asyncio
import time
from contextlib import suppress
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from tintype.catalogue import changes, images
from tintype.core.browse import no_such_image
from tintype.core.facts import Known
from tintype.core.house import House
from tintype.model import Error, Image, Status

FOLLOW_SECONDS = 0.25
"""How often the catalogue is asked for changes."""


async def linked(house: House, key: UUID | int, version: int | None = None) -> Known:
    """The image that a link names, by id or number, if it is delivered.

    Raises:
        Error: MISSING when there is none, its present version is another than the link's, or it is archived.
    """
    known = house.facts.known(key)
    if known is None or not _is_delivered(known.image, version):
        # A link that another process just made may name a version that is news here: memory never refuses.
        known = await _ask(house, key)
    if not _is_delivered(known.image, version):
        raise no_such_image()
    return known


async def follow(house: House, stop: asyncio.Event) -> None:
    """Forget what changes, whichever process changes it, until `stop`; learn of new and retired keys."""
    seq: int | None = None
    while not stop.is_set():
        # Whatever is wrong with the catalogue or the keys: memory soon counts no more, and whoever needs
        # them then asks, and is told what is wrong.
        with suppress(SQLAlchemyError, OSError, Error):
            seq = await _catch_up(house, seq)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), FOLLOW_SECONDS)


def _is_delivered(image: Image, version: int | None) -> bool:
    return version in {None, image.version} and image.status is Status.ACTIVE


async def _ask(house: House, key: UUID | int) -> Known:
    # Before the question: a change that comes meanwhile must not be overwritten by an answer from before it.
    generation = house.facts.generation
    async with house.catalogue.read() as tx:
        image = await images.linked(tx, key)
    if image is None:
        raise no_such_image()
    return house.facts.remember(image, generation)


async def _catch_up(house: House, seq: int | None) -> int:
    asked = time.monotonic()
    await house.workers.disk(house.keyring.learn)
    async with house.catalogue.read() as tx:
        if seq is None:
            seq = await changes.last(tx)
        news = await changes.since(tx, seq)
    if news and news[0][0] != seq + 1:
        # Between here and there some were dropped: nobody knows any more which.
        house.facts.forget_all()
    for seq, image in news:  # noqa: B007  where the next question begins
        if image is None:
            house.facts.forget_all()
        else:
            house.facts.forget(image)
    house.facts.trust(asked)
    return seq
