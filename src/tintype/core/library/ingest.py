"""Taking images in: bytes to a stage, the stage examined, then bytes and record kept together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
import uuid_utils.compat
from msgspec import Struct

from tintype.catalogue import images, placements
from tintype.catalogue.engine import Transaction
from tintype.core.access.quotas import require_room
from tintype.core.delivery.disk_space import write_with_eviction
from tintype.core.delivery.variant import is_costly
from tintype.core.library.deletion import remove_original_on_failure
from tintype.core.runtime.fair_queue import WorkEstimate
from tintype.core.runtime.renderers import decode
from tintype.core.services import Services
from tintype.imaging import Format, ImageInfo, Limits, sniff
from tintype.imaging.errors import damaged
from tintype.imaging.formats import HEAD_BYTES
from tintype.imaging.sandbox.messages import Examined, Refusal
from tintype.imaging.sandbox.pool import RendererError, RendererPool, StartError
from tintype.model import Caller, Error, Image, Kind, NewImage, Placement, Status, names
from tintype.storage import SizeLimitExceeded, Staged

log = structlog.get_logger("tintype")

WRITE_SIZE = 256 * 1024
"""Bytes gathered before a thread is asked to write them."""
PIXELS_PER_BYTE = 4
"""Pixels that a byte of an upload is taken for, until its header is read: about a photograph's."""


@asynccontextmanager
async def stage(services: Services, chunks: AsyncIterator[bytes], limit: int) -> AsyncIterator[Staged]:
    """Bytes streamed to a temporary file, hashed meanwhile and durable; it is gone when the block ends.

    Raises:
        Error: TOO_LARGE when more than `limit` bytes come; INSUFFICIENT_STORAGE when the disk takes nothing,
            though renditions gave way.
    """
    staged = services.originals.stage(limit)
    try:
        # What is reserved for deletes is not for uploads: without it there is no room for them either.
        await write_with_eviction(services, services.reserve.hold)
        await write_with_eviction(services, staged.open)
        await _fill(services, staged, chunks, limit)
        yield staged
    finally:
        await services.workers.disk(staged.discard)


class Inspection(Struct, frozen=True):
    """What staged bytes are, as far as that can be told.

    `refused` says why they can't be taken in; `facts` is then there if the header could be read,
    `format` if the bytes begin like a known one.
    """

    format: Format | None = None
    info: ImageInfo | None = None
    refused: Error | None = None


async def inspect_staged(services: Services, caller: Caller, staged: Staged) -> Inspection:
    """As `examine`, for those who want to say everything that is wrong, not only the first.

    Raises:
        Error: OVERLOADED.
    """
    work = await services.workers.disk(_estimate, caller, staged)
    return await decode(
        services.workers, work, _inspect, services.renderers, staged, services.images.input_limits()
    )


async def examine(services: Services, caller: Caller, staged: Staged) -> ImageInfo:
    """What the staged bytes are.

    The header is held against every limit before a pixel is decoded; then all of it is decoded once,
    so that a damaged file is refused at the door.

    Raises:
        Error: INVALID_IMAGE, with a sentence that says why; OVERLOADED.
    """
    seen = await inspect_staged(services, caller, staged)
    if seen.refused is not None or seen.info is None:
        raise seen.refused or Error(Kind.INTERNAL, "Nothing was found of the picture.")
    return seen.info


async def record_image(  # noqa: PLR0913  an image is recorded with all of these
    services: Services,
    caller: Caller,
    staged: Staged,
    info: ImageInfo,
    filename: str,
    *,
    status: Status = Status.ACTIVE,
    placement: Placement | None = None,
    replace: bool = False,
    unique: bool = False,
) -> Image:
    """Record an image with its bytes, and hang it at a place if one is given.

    Args:
        caller: whose image it becomes.
        staged: the bytes; they are published and then no longer staged.
        info: what `examine` found.
        filename: as it came; only its last part is kept.
        status: what the image starts as.
        placement: where to hang it.
        replace: take down what hangs at the place; otherwise a taken place is a conflict.
        unique: the account's having an image with these bytes and this file name already is a conflict.

    Raises:
        Error: CONFLICT when the place is taken or the image is there already, QUOTA_EXCEEDED; nothing is kept
            then.
    """
    new = new_image(staged, info, filename, status)
    async with remove_original_on_failure(services, new.sha256), services.catalogue.write() as tx:
        if unique and await images.find_duplicate(tx, caller.account.id, new.sha256, new.filename):
            raise Error(Kind.CONFLICT, "This image is there already.")
        # Write transactions follow one another: told in here, times and numbers are in the same order.
        now = services.clock()
        image = await images.add(tx, caller.account.id, caller.person, new, now)
        await require_room(services, tx, caller.account.id)
        if placement is not None:
            await _attach(tx, caller, image.number, placement, replace=replace)
        # Bytes before row: published inside the transaction, after all that can refuse it and before
        # the commit. A crash in between leaves an object without a row, which a sweep removes.
        await services.workers.disk(services.originals.publish, staged)
    return image


async def find_duplicate(services: Services, caller: Caller, sha256: str, filename: str) -> Image | None:
    """The account's image that has exactly these bytes and this file name, if there is one."""
    async with services.catalogue.read() as tx:
        return await images.find_duplicate(tx, caller.account.id, sha256, names.clean(filename))


def new_image(staged: Staged, info: ImageInfo, filename: str, status: Status) -> NewImage:
    """What is recorded of staged bytes; of the file name only the last part."""
    filename = names.clean(filename)
    name, extension = names.split(filename, info.format)
    shown = info.placeholder
    return NewImage(
        id=uuid_utils.compat.uuid7(),
        filename=filename,
        name=name,
        extension=extension,
        format=info.format,
        sha256=staged.sha256,
        bytes=staged.size,
        width=info.width,
        height=info.height,
        frames=info.frames,
        has_alpha=info.has_alpha,
        status=status,
        thumbhash=shown.thumbhash if shown else None,
        colour=shown.colour if shown else None,
    )


async def _fill(services: Services, staged: Staged, chunks: AsyncIterator[bytes], limit: int) -> None:
    try:
        async for block in _blocks(chunks):
            await write_with_eviction(services, staged.write, block)
    except SizeLimitExceeded:
        raise Error(Kind.TOO_LARGE, f"More than {limit} bytes came; that is the most accepted.") from None
    await write_with_eviction(services, staged.seal)


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


def _inspect(memory: int, renderers: RendererPool, staged: Staged, limits: Limits) -> Inspection:
    with staged.path.open("rb") as source:
        found = _examine_in_renderer(renderers, source.fileno(), limits, memory)
    if found.refused is None:
        return Inspection(found.format, found.info)
    refused = Error(Kind.INVALID_IMAGE, found.refused.sentence, field=found.refused.reason.value)
    return Inspection(found.format, found.info, refused)


def _examine_in_renderer(renderers: RendererPool, source: int, limits: Limits, memory: int) -> Examined:
    try:
        return renderers.examine(source, limits, memory)
    except StartError:
        raise
    except RendererError:
        # A file that a decoder doesn't expect is no fault of ours, but worth to be looked at.
        log.exception("unexpected-error", work="examine")
        unread = damaged()
        return Examined(refused=Refusal(unread.reason, unread.sentence))


async def _attach(
    tx: Transaction, caller: Caller, number: int, placement: Placement, *, replace: bool
) -> None:
    if replace:
        await placements.clear(tx, caller.account.id, placement)
    if not await placements.attach(tx, caller.account.id, number, placement):
        raise Error(Kind.CONFLICT, "There is an image at this place already; delete it first.")
