"""Taking images in: bytes to a stage, the stage examined, then bytes and record kept together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
import uuid_utils.compat
from msgspec import Struct

from tintype.catalogue import images, placements
from tintype.catalogue.engine import Transaction
from tintype.core.choose import is_costly
from tintype.core.disk_space import store
from tintype.core.fairness import WorkEstimate
from tintype.core.house import House
from tintype.core.quotas import require_room
from tintype.core.renderers import decode
from tintype.core.retire import dropped_unless_recorded
from tintype.imaging import Facts, Format, Limits, sniff
from tintype.imaging.errors import damaged
from tintype.imaging.formats import HEAD_BYTES
from tintype.imaging.sandbox.messages import Examined, Refusal
from tintype.imaging.sandbox.pool import RendererError, Renderers, StartError
from tintype.model import Caller, Draft, Error, Image, Kind, Place, Status, names
from tintype.storage import Staged, StageFull

log = structlog.get_logger("tintype")

WRITE_SIZE = 256 * 1024
"""Bytes gathered before a thread is asked to write them."""
PIXELS_PER_BYTE = 4
"""Pixels that a byte of an upload is taken for, until its header is read: about a photograph's."""


@asynccontextmanager
async def stage(house: House, chunks: AsyncIterator[bytes], limit: int) -> AsyncIterator[Staged]:
    """Bytes streamed to a temporary file, hashed meanwhile and durable; it is gone when the block ends.

    Raises:
        Error: TOO_LARGE when more than `limit` bytes come; INSUFFICIENT_STORAGE when the disk takes nothing,
            though renditions gave way.
    """
    staged = house.originals.stage(limit)
    try:
        # What is reserved for deletes is not for uploads: without it there is no room for them either.
        await store(house, house.reserve.hold)
        await store(house, staged.open)
        await _fill(house, staged, chunks, limit)
        yield staged
    finally:
        await house.workers.disk(staged.discard)


class Look(Struct, frozen=True):
    """What staged bytes are, as far as that can be told.

    `refused` says why they can't be taken in; `facts` is then there if the header could be read,
    `format` if the bytes begin like a known one.
    """

    format: Format | None = None
    facts: Facts | None = None
    refused: Error | None = None


async def look(house: House, caller: Caller, staged: Staged) -> Look:
    """As `examine`, for those who want to say everything that is wrong, not only the first.

    Raises:
        Error: BUSY.
    """
    work = await house.workers.disk(_estimate, caller, staged)
    return await decode(house.workers, work, _look, house.renderers, staged, house.images.accepted())


async def examine(house: House, caller: Caller, staged: Staged) -> Facts:
    """What the staged bytes are.

    The header is held against every limit before a pixel is decoded; then all of it is decoded once,
    so that a damaged file is refused at the door.

    Raises:
        Error: REFUSED, with a sentence that says why; BUSY.
    """
    seen = await look(house, caller, staged)
    if seen.refused is not None or seen.facts is None:
        raise seen.refused or Error(Kind.INTERNAL, "Nothing was found of the picture.")
    return seen.facts


async def keep(  # noqa: PLR0913  an image is recorded with all of these
    house: House,
    caller: Caller,
    staged: Staged,
    facts: Facts,
    filename: str,
    *,
    status: Status = Status.ACTIVE,
    place: Place | None = None,
    replace: bool = False,
    unique: bool = False,
) -> Image:
    """Record an image with its bytes, and hang it at a place if one is given.

    Args:
        house: the house.
        caller: whose image it becomes.
        staged: the bytes; they are published and then no longer staged.
        facts: what `examine` found.
        filename: as it came; only its last part is kept.
        status: what the image starts as.
        place: where to hang it.
        replace: take down what hangs at the place; otherwise a taken place is a conflict.
        unique: the account's having an image with these bytes and this file name already is a conflict.

    Raises:
        Error: CONFLICT when the place is taken or the image is there already, QUOTA_EXCEEDED; nothing is kept
            then.
    """
    new = draft(staged, facts, filename, status)
    async with dropped_unless_recorded(house, new.sha256), house.catalogue.write() as tx:
        if unique and await images.same(tx, caller.account.id, new.sha256, new.filename):
            raise Error(Kind.CONFLICT, "This image is there already.")
        # Write transactions follow one another: told in here, times and numbers are in the same order.
        now = house.clock()
        image = await images.record(tx, caller.account.id, caller.person, new, now)
        await require_room(house, tx, caller.account.id)
        if place is not None:
            await _hang(tx, caller, image.number, place, replace=replace)
        # Bytes before row: published inside the transaction, after all that can refuse it and before
        # the commit. A crash in between leaves an object without a row, which a sweep removes.
        await house.workers.disk(house.originals.publish, staged)
    return image


async def present(house: House, caller: Caller, sha256: str, filename: str) -> Image | None:
    """The account's image that has exactly these bytes and this file name, if there is one."""
    async with house.catalogue.read() as tx:
        return await images.same(tx, caller.account.id, sha256, names.clean(filename))


def draft(staged: Staged, facts: Facts, filename: str, status: Status) -> Draft:
    """What is recorded of staged bytes; of the file name only the last part."""
    filename = names.clean(filename)
    name, extension = names.split(filename, facts.format)
    shown = facts.placeholder
    return Draft(
        id=uuid_utils.compat.uuid7(),
        filename=filename,
        name=name,
        extension=extension,
        format=facts.format,
        sha256=staged.sha256,
        bytes=staged.size,
        width=facts.width,
        height=facts.height,
        frames=facts.frames,
        has_alpha=facts.has_alpha,
        status=status,
        thumbhash=shown.thumbhash if shown else None,
        colour=shown.colour if shown else None,
    )


async def _fill(house: House, staged: Staged, chunks: AsyncIterator[bytes], limit: int) -> None:
    try:
        async for block in _blocks(chunks):
            await store(house, staged.write, block)
    except StageFull:
        raise Error(Kind.TOO_LARGE, f"More than {limit} bytes came; that is the most accepted.") from None
    await store(house, staged.seal)


async def _blocks(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    gathered = bytearray()
    async for chunk in chunks:
        gathered += chunk
        if len(gathered) >= WRITE_SIZE:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)


def _estimate(caller: Caller, staged: Staged) -> WorkEstimate:
    with staged.path.open("rb") as file:
        format_ = sniff(file.read(HEAD_BYTES))
    return WorkEstimate(caller.account.id, staged.size * PIXELS_PER_BYTE, costly=is_costly(format_))


def _look(memory: int, renderers: Renderers, staged: Staged, limits: Limits) -> Look:
    with staged.path.open("rb") as source:
        found = _examined(renderers, source.fileno(), limits, memory)
    if found.refused is None:
        return Look(found.format, found.facts)
    refused = Error(Kind.REFUSED, found.refused.sentence, field=found.refused.reason.value)
    return Look(found.format, found.facts, refused)


def _examined(renderers: Renderers, source: int, limits: Limits, memory: int) -> Examined:
    try:
        return renderers.examine(source, limits, memory)
    except StartError:
        raise
    except RendererError:
        # A file that a decoder doesn't expect is no fault of ours, but worth to be looked at.
        log.exception("unforeseen", work="examine")
        unread = damaged()
        return Examined(refused=Refusal(unread.reason, unread.sentence))


async def _hang(tx: Transaction, caller: Caller, number: int, place: Place, *, replace: bool) -> None:
    if replace:
        await placements.clear(tx, caller.account.id, place)
    if not await placements.hang(tx, caller.account.id, number, place):
        raise Error(Kind.CONFLICT, "There is an image at this place already; delete it first.")
