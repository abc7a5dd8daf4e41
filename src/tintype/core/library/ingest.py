"""Uploads: bytes are staged in a file, examined, and then published and recorded."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import structlog
import uuid_utils.compat

from tintype.catalogue import Transaction, images, placements
from tintype.core.access.quotas import require_room
from tintype.core.delivery.disk_space import write_with_eviction
from tintype.core.delivery.variant import is_costly
from tintype.core.library.originals import end_put, published
from tintype.core.library.placement import occupied, require_rules
from tintype.core.runtime.fair_queue import WorkEstimate
from tintype.core.runtime.renderers import decode
from tintype.core.services import Services
from tintype.imaging import ImageInfo, Limits, sniff
from tintype.imaging.errors import damaged
from tintype.imaging.formats import HEAD_BYTES
from tintype.imaging.sandbox.messages import Examined, Refusal
from tintype.imaging.sandbox.pool import Allowance, RendererError, RendererPool, UnavailableError
from tintype.model import (
    Caller,
    Conflict,
    Image,
    Internal,
    InvalidImage,
    NewImage,
    Placement,
    Status,
    TooLarge,
    names,
)
from tintype.storage import SizeLimitExceeded, Staged

log = structlog.get_logger("tintype")

WRITE_SIZE = 256 * 1024
"""Bytes buffered before a thread writes them."""
PIXELS_PER_BYTE = 4
"""The estimated pixels per byte of an upload, before its header is read: about those of a photograph."""


@asynccontextmanager
async def stage(services: Services, chunks: AsyncIterator[bytes], limit: int) -> AsyncIterator[Staged]:
    """Stream bytes to a temporary file, hashed and synced; it is removed when the block ends.

    Raises:
        TooLarge: when more than `limit` bytes come.
        InsufficientStorage: when the disk is full though renditions were evicted.
    """
    staged = services.staging.stage(limit)
    try:
        # The space reserved for deletes must be there first: uploads may not use it.
        await write_with_eviction(services, services.reserve.hold)
        await write_with_eviction(services, staged.open)
        await _fill(services, staged, chunks, limit)
        yield staged
    finally:
        await services.workers.disk(staged.discard)


async def inspect_staged(services: Services, caller: Caller, staged: Staged) -> Examined:
    """As `examine`, for callers that report all faults of an upload and not only the first.

    Raises:
        Overloaded: when there is no slot in time.
    """
    work = await services.workers.disk(_estimate, caller, staged)
    return await decode(
        services.workers, work, _inspect, services.renderers, staged, services.images.input_limits()
    )


async def examine(services: Services, caller: Caller, staged: Staged) -> ImageInfo:
    """Read the header of staged bytes, check every limit, then decode all of it once.

    So a damaged file is refused on upload.

    Raises:
        InvalidImage: when they are refused.
        Overloaded: when no slot is free in time.
    """
    examined = await inspect_staged(services, caller, staged)
    if examined.refused is not None:
        raise InvalidImage(examined.refused.reason, examined.refused.sentence)
    if examined.info is None:
        raise Internal("Nothing was found of the picture.")
    return examined.info


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
    """Publish the bytes, record the image, and attach it at a placement if one is given.

    Args:
        caller: the owner.
        staged: the bytes; they are published and then no longer staged.
        info: what `examine` found.
        filename: from the client; only its last part is used.
        status: the initial status.
        placement: where to attach it.
        replace: detach the image at the placement; otherwise an occupied placement is a conflict.
        unique: an image of the account with the same bytes and file name is a conflict.

    Raises:
        Conflict: when the placement is occupied or the image breaks its rules, or exists already.
        QuotaExceeded: when the account would exceed its quotas. Nothing is recorded then.
    """
    new = new_image(staged, info, filename, status)

    def record(tx: Transaction, lease: UUID) -> Image:
        end_put(tx, lease)
        if unique:
            _require_unique(tx, caller, new)
        now = services.clock()
        image = images.add(tx, caller.account.id, caller.person, new, now)
        require_room(tx, services, caller.account.id)
        if placement is not None:
            require_rules(services, placement, new)
            _attach(tx, caller, image.number, placement, replace=replace)
        return image

    # Bytes before row: a crash in between leaves an original without a record, which is collected.
    async with published(services, staged) as lease:
        return await services.catalogue.write(record, lease)


async def find_duplicate(services: Services, caller: Caller, sha256: str, filename: str) -> Image | None:
    """The account's image that has exactly these bytes and this file name, if there is one."""
    return await services.catalogue.read(
        images.find_duplicate, caller.account.id, sha256, names.clean(filename)
    )


def new_image(staged: Staged, info: ImageInfo, filename: str, status: Status) -> NewImage:
    """The record for staged bytes; only the last part of the file name is used."""
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
        raise TooLarge(f"More than {limit} bytes came; that is the most accepted.") from None
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
    with staged.read() as file:
        format_ = sniff(file.read(HEAD_BYTES))
    return WorkEstimate(caller.account.id, staged.size * PIXELS_PER_BYTE, costly=is_costly(format_))


def _inspect(allowance: Allowance, renderers: RendererPool, staged: Staged, limits: Limits) -> Examined:
    with staged.read() as source:
        try:
            return renderers.examine(source.fileno(), limits, allowance)
        except UnavailableError:
            raise
        except RendererError:
            # The decoder failed on this file: refuse it as damaged, and log it for the operator.
            log.exception("unexpected-error", work="examine")
            unread = damaged()
            return Examined(refused=Refusal(unread.reason, unread.sentence))


def _require_unique(tx: Transaction, caller: Caller, new: NewImage) -> None:
    tx.lock(new.sha256)
    if images.find_duplicate(tx, caller.account.id, new.sha256, new.filename):
        raise Conflict("This image is there already.")


def _attach(tx: Transaction, caller: Caller, number: int, placement: Placement, *, replace: bool) -> None:
    if replace:
        placements.clear(tx, caller.account.id, placement)
    if not placements.attach(tx, caller.account.id, number, placement):
        raise occupied()
