"""Pictures for delivery: the original as it is, or a rendition made once and kept."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Hashable
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import BinaryIO

import structlog
from msgspec import Struct, structs

from tintype.core.delivery.evict import maybe_evict
from tintype.core.delivery.missing_original import missing_original
from tintype.core.delivery.variant import SLOW, Variant, is_costly, is_slow, output_pixels, stripped, variants
from tintype.core.runtime.counters import Counters
from tintype.core.runtime.fair_queue import WorkEstimate
from tintype.core.runtime.renderers import decode
from tintype.core.services import Services
from tintype.imaging import Format, ImageRefused, Reason, Recipe, spec
from tintype.imaging.extras import is_installed
from tintype.imaging.sandbox.pool import RenderResult
from tintype.model import Error, Image, Kind
from tintype.storage import RenditionWriter, durable

AdmissionCheck = Callable[[], Awaitable[None]]

MIN_PAUSE, MAX_PAUSE = 0.01, 0.1
"""Seconds between two looks at what another process makes."""

log = structlog.get_logger("tintype")


REQUEST_TOO_COSTLY = frozenset({Reason.OUTPUT_TOO_LARGE, Reason.TOO_COSTLY})
"""Why a picture that was taken in isn't drawn as asked, besides for want of an extra."""


class Client(Struct, frozen=True):
    """For whom a rendition is made.

    Attributes:
        payer: who pays for the work, as a WorkEstimate has it.
        may_make: asked before anything is made anew; what it raises is raised.
    """

    payer: Hashable
    admission_check: AdmissionCheck | None = None


class UnreadableOriginalError(Exception):
    """An original is not there, or not what it was when it came."""


class Picture(Struct, frozen=True):
    """What is ready to be sent: `size` bytes at `path`. `tag` differs whenever the bytes can differ.

    One that was just made has its bytes as `data` too, if they are few, or else in an open file, `unkept`,
    where the cache had no room; they may be nowhere else. One that `stands_in` is delivered until another is
    made, which takes longer.
    """

    image: Image
    path: Path
    size: int
    media_type: str
    tag: str
    data: bytes | None = None
    not_cached: RenditionWriter | None = None
    is_stand_in: bool = False


def original(services: Services, image: Image) -> Picture:
    """The bytes as they came."""
    return Picture(
        image=image,
        path=services.originals.path(image.sha256),
        size=image.bytes,
        media_type=spec(image.format).media_type,
        tag=original_tag(image),
    )


def original_tag(image: Image) -> str:
    """The tag of the bytes as they came."""
    return image.sha256[:32]


def stripped_tag(image: Image) -> str:
    """The tag of the original without its metadata."""
    return _tag(image, stripped(image))


def rendition_tag(image: Image, recipe: Recipe, accepted: AbstractSet[Format] = frozenset()) -> str:
    """The tag of the rendition that suits who reads the accepted formats best, known before it is made."""
    return _tag(image, variants(image, recipe, accepted)[0])


async def rendition(
    services: Services,
    image: Image,
    recipe: Recipe,
    accepted: AbstractSet[Format] = frozenset(),
    client: Client | None = None,
) -> Picture:
    """A picture made by a recipe: from the cache, or made now and put there.

    Args:
        image: of what.
        recipe: how.
        accepted: the formats that the client reads, besides those that everybody does.
        client: for whom it is made; None: for the image's account.

    Raises:
        Error: INVALID when the result would be larger than the limits allow; OVERLOADED; INVALID_IMAGE when
            it takes more memory than there is; NOT_FOUND when the image was deleted meanwhile;
            ORIGINAL_MISSING.
    """
    best, *others = variants(image, recipe, accepted)
    client = client or Client(image.account_id)
    made = await services.workers.disk(_find, services, _paths(services, image, best))
    if made is not None:
        return _picture(image, best, made)
    if others and _is_deferred(services, best, output_pixels(image, recipe)):
        return await _stand_in(services, image, best, others[0], client)
    return _picture(image, best, await _make_once(services, image, best, client))


async def stripped_original(services: Services, image: Image, client: Client) -> Picture:
    """The original without its metadata: from the cache, or made now for a client and put there.

    Raises:
        Error: as `rendition`.
    """
    making = stripped(image)
    made = await services.workers.disk(_find, services, _paths(services, image, making))
    return _picture(image, making, made or await _make_once(services, image, making, client))


async def touch(services: Services, picture: Picture) -> None:
    """Count a rendition's file as used now, though its bytes are delivered from elsewhere."""
    await services.workers.disk(services.renditions.find, picture.path)


class _Rendered(Struct, frozen=True):
    """A rendition that is there; if it was just made and isn't large, with its bytes."""

    path: Path
    format: Format
    size: int
    data: bytes | None = None
    not_cached: RenditionWriter | None = None
    is_new: bool = False
    is_kept: bool = True


_Drawn = RenderResult[RenditionWriter]

_Paths = dict[Format, Path]
"""Where what is made lies, by the format that it comes out in: one, unless several are tried."""


def _is_deferred(services: Services, best: Variant, pixels: int) -> bool:
    """Whether nobody should wait for it. What can't be made here at all is refused at once."""
    format = best.formats[0]
    return is_slow(best) and is_installed(spec(format)) and services.deferred.is_deferred(format, pixels)


async def _stand_in(
    services: Services, image: Image, best: Variant, other: Variant, client: Client
) -> Picture:
    """What is quickly made; the best is made later."""
    made = await services.workers.disk(_find, services, _paths(services, image, other))
    made = made or await _make_once(services, image, other, client)
    alone = Client(client.payer)
    services.deferred.add(
        _key(_paths(services, image, best)), lambda: _make_once(services, image, best, alone)
    )
    return structs.replace(_picture(image, other, made), is_stand_in=True)


async def _make_once(services: Services, image: Image, making: Variant, client: Client) -> _Rendered:
    key, work = _key(_paths(services, image, making)), _estimate(services, image, making, client.payer)
    # Who shares what another asked for causes no work.
    if client.admission_check is not None and not services.workers.is_under_way(key):
        await client.admission_check()
    made = await services.workers.singleflight(
        key, lambda: _make_or_wait(services, image, making, work), work
    )
    maybe_evict(services)
    return made


def _picture(image: Image, making: Variant, made: _Rendered) -> Picture:
    media_type, tag = spec(made.format).media_type, _tag(image, making)
    return Picture(image, made.path, made.size, media_type, tag, made.data, made.not_cached)


def _tag(image: Image, making: Variant) -> str:
    return f"{image.sha256[:16]}-{making.fingerprint()[:16]}"


def _paths(services: Services, image: Image, making: Variant) -> _Paths:
    fingerprint = making.fingerprint()
    return {
        format: services.renditions.path(image.id, image.version, fingerprint, spec(format).extensions[0])
        for format in making.formats
    }


def _key(placements: _Paths) -> Path:
    """What work on it is known by, in this process and among those of this machine."""
    return next(iter(placements.values()))


def _find(services: Services, placements: _Paths) -> _Rendered | None:
    for format, path in placements.items():
        size = services.renditions.find(path)
        if size is not None:
            return _Rendered(path, format, size)
    return None


async def _make_or_wait(services: Services, image: Image, making: Variant, work: WorkEstimate) -> _Rendered:
    """Make a rendition, or wait for another process of this machine that does."""
    patient_until = time.monotonic() + services.workers.queue_timeout
    while True:
        alone = time.monotonic() >= patient_until
        try:
            made = await decode(services.workers, work, _render, services, image, making, alone=alone)
        except UnreadableOriginalError as failed:
            raise await missing_original(services, image, str(failed)) from failed
        # The slot is for others while we wait, and no thread waits with us.
        made = made or await _await_other_process(services, image, making, patient_until)
        if made is not None:
            _count(services.workers.counters, made)
            return made


def _estimate(services: Services, image: Image, making: Variant, payer: Hashable) -> WorkEstimate:
    recipe = making.recipes[0]
    if recipe is None:
        # Its bytes are copied, no pixel is decoded.
        return WorkEstimate(payer, image.bytes)
    pixels = image.width * image.height * image.frames
    made = output_pixels(image, recipe)
    costly = is_costly(image.format, pixels) or (
        is_slow(making) and services.deferred.is_deferred(making.formats[0], made)
    )
    return WorkEstimate(payer, pixels + made, costly=costly)


def _count(counters: Counters, made: _Rendered) -> None:
    counters.coalesced += not made.is_new
    counters.made += made.is_new
    counters.not_cached += not made.is_kept


async def _await_other_process(
    services: Services, image: Image, making: Variant, patient_until: float
) -> _Rendered | None:
    """What another process made; None when it gave up, or takes too long."""
    pause = MIN_PAUSE
    while time.monotonic() < patient_until:
        made, goes_on = await services.workers.disk(_check_other_process, services, image, making)
        if made is not None or not goes_on:
            return made
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, MAX_PAUSE)
    return None


def _check_other_process(services: Services, image: Image, making: Variant) -> tuple[_Rendered | None, bool]:
    placements = _paths(services, image, making)
    going_on = services.renditions.locks.is_held(_key(placements))
    return _find(services, placements), going_on


def _render(
    memory: int, services: Services, image: Image, making: Variant, *, alone: bool
) -> _Rendered | None:
    """Make a rendition unless it is there by now; None if another process is at it and we can wait."""
    placements = _paths(services, image, making)
    with services.renditions.locks.hold(_key(placements)) as is_ours:
        if not is_ours and not alone:
            return None
        return _find(services, placements) or _cache(
            services, placements, _smallest(memory, services, image, making, placements)
        )


def _smallest(memory: int, services: Services, image: Image, making: Variant, placements: _Paths) -> _Drawn:
    """The picture; where several are to be made, the one with the fewest bytes, of equals the first."""
    drawn = [_draw(memory, services, image, recipe, _key(placements)) for recipe in making.recipes]
    return min(drawn, key=lambda each: each.made.size)


def _draw(memory: int, services: Services, image: Image, recipe: Recipe | None, path: Path) -> _Drawn:
    limits, source_limits = services.images.output_limits(), services.images.input_limits()

    def spool() -> RenditionWriter:
        return services.renditions.open_writer(path)

    began = time.perf_counter()
    try:
        # What is written is a picture too large to be held until a slow client has it.
        with _open_original(services, image) as source, durable.storage_errors():
            if recipe is None:
                return services.renderers.strip(source.fileno(), image.format, memory, spool)
            drawn = services.renderers.render(source.fileno(), recipe, limits, source_limits, memory, spool)
    except ImageRefused as failed:
        if recipe is not None and (
            failed.reason in REQUEST_TOO_COSTLY or _lacks_extra(image, recipe, failed)
        ):
            raise Error(Kind.INVALID, str(failed)) from failed
        # An original that was examined when it came can be drawn, if it still is what it was.
        raise UnreadableOriginalError(str(failed)) from failed
    made = drawn.made
    if made.format in SLOW:
        services.deferred.record_duration(made.format, made.width * made.height, time.perf_counter() - began)
    return drawn


def _open_original(services: Services, image: Image) -> BinaryIO:
    """The original, to be read. Raises UnreadableError."""
    try:
        file = services.originals.path(image.sha256).open("rb")
    except FileNotFoundError:
        raise UnreadableOriginalError("the file is gone") from None
    if os.fstat(file.fileno()).st_size != image.bytes:
        # Some decoders don't mind a missing end.
        file.close()
        raise UnreadableOriginalError("the file has not the size that is recorded")
    return file


def _lacks_extra(image: Image, recipe: Recipe, failed: ImageRefused) -> bool:
    formats = (image.format, recipe.format or image.format)
    return failed.reason is Reason.UNSUPPORTED and not all(is_installed(spec(each)) for each in formats)


def _cache(services: Services, placements: _Paths, drawn: _Drawn) -> _Rendered:
    made, data, draft = drawn.made, drawn.data, drawn.file
    path, is_kept = placements[made.format], False
    try:
        if data is not None:
            is_kept = services.renditions.put(path, data)
        elif draft is not None:
            is_kept = services.renditions.commit(path, draft, made.size)
    except FileNotFoundError:
        # Purged, or deleted with its image, while it was drawn.
        pass
    except OSError as failed:
        # A full disk: the picture is delivered all the same, and made again for who asks next.
        log.warning("rendition-not-cached", path=str(path), reason=failed.strerror)
    return _Rendered(
        path, made.format, made.size, data, None if is_kept else draft, is_new=True, is_kept=is_kept
    )
