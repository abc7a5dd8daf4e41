"""Pictures for delivery: the original, or a rendition from the cache, made once if it is not there."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable

import structlog
from msgspec import Struct, structs

from tintype.core.delivery.draw import (
    Rendered,
    UnreadableOriginalError,
    draw,
    find,
    variant_keys,
    work_key,
)
from tintype.core.delivery.evict import maybe_evict
from tintype.core.delivery.missing_original import missing_original
from tintype.core.delivery.variant import (
    Variant,
    Variants,
    is_costly,
    is_slow,
    original_tag,
    output_pixels,
)
from tintype.core.runtime.counters import Counters
from tintype.core.runtime.fair_queue import WorkEstimate
from tintype.core.runtime.renderers import decode
from tintype.core.services import Services
from tintype.imaging import spec
from tintype.imaging.extras import is_installed
from tintype.model import Image
from tintype.storage import BlobReader, RenditionWriter

AdmissionCheck = Callable[[], Awaitable[None]]

MIN_PAUSE, MAX_PAUSE = 0.01, 0.1
"""Seconds between two polls for a rendition that another process makes."""

log = structlog.get_logger("tintype")


class Client(Struct, frozen=True):
    """The client for which a rendition is made.

    Attributes:
        payer: who pays for the work (see WorkEstimate).
        admission_check: awaited before anything is rendered; what it raises is passed on.
    """

    payer: Hashable
    admission_check: AdmissionCheck | None = None


class Picture(Struct, frozen=True):
    """What is ready to be sent: `size` bytes, under `key` in `store`.

    `tag` (for the ETag) differs when the bytes can.

    A new rendition also has its bytes in `data` if it is small, or in the open file `not_cached` if the cache
    had no room for it; then they may exist nowhere else. With `is_stand_in` it is delivered while the better
    one is encoded in the background.
    """

    image: Image
    store: BlobReader
    key: str
    size: int
    media_type: str
    tag: str
    data: bytes | None = None
    not_cached: RenditionWriter | None = None
    is_stand_in: bool = False


def original(services: Services, image: Image) -> Picture:
    """The original, unchanged."""
    return Picture(
        image=image,
        store=services.originals,
        key=image.sha256,
        size=image.bytes,
        media_type=spec(image.format).media_type,
        tag=original_tag(image),
    )


async def rendition(services: Services, image: Image, variants: Variants, client: Client) -> Picture:
    """A rendition of an image, or its original without metadata: from the cache, or made now and cached.

    While the best variant is too slow to wait for, a stand-in.

    Raises:
        Invalid: when the result would exceed the limits.
        Overloaded: when there is no slot in time.
        InvalidImage: when it needs more memory than there is.
        NotFound: when the image was deleted meanwhile.
        OriginalMissing: when its file is lost or damaged.
    """
    best = variants.best
    rendered = await services.workers.disk(find, services, variant_keys(services, image, best))
    if rendered is not None:
        return _picture(services, image, best, rendered)
    if variants.stand_ins and _is_deferred(services, image, best):
        return await _stand_in(services, image, best, variants.stand_ins[0], client)
    return _picture(services, image, best, await _make_once(services, image, best, client))


async def touch(services: Services, picture: Picture) -> None:
    """Mark the file of a rendition as used now, when its bytes are delivered from memory."""
    await services.workers.disk(services.renditions.find, picture.key)


def _is_deferred(services: Services, image: Image, best: Variant) -> bool:
    """Whether it is encoded in the background. A format that is not installed is refused at once instead."""
    return is_slow(best) and is_installed(spec(best.formats[0])) and _takes_long(services, image, best)


def _takes_long(services: Services, image: Image, variant: Variant) -> bool:
    recipe, format = variant.recipes[0], variant.formats[0]
    return recipe is not None and services.deferred.is_deferred(format, output_pixels(image, recipe))


async def _stand_in(
    services: Services, image: Image, best: Variant, other: Variant, client: Client
) -> Picture:
    """A variant that is quick to encode; queues the best one."""
    rendered = await services.workers.disk(find, services, variant_keys(services, image, other))
    rendered = rendered or await _make_once(services, image, other, client)
    background = Client(client.payer)
    services.deferred.add(
        work_key(variant_keys(services, image, best)), lambda: _make_once(services, image, best, background)
    )
    return structs.replace(_picture(services, image, other, rendered), is_stand_in=True)


async def _make_once(services: Services, image: Image, variant: Variant, client: Client) -> Rendered:
    key = work_key(variant_keys(services, image, variant))
    work = _estimate(services, image, variant, client.payer)
    work = structs.replace(work, deadline=services.workers.deadline())
    # A request that shares work under way causes none.
    if client.admission_check is not None and not services.workers.is_under_way(key):
        await client.admission_check()
    rendered = await services.workers.singleflight(
        key, lambda: _make_or_wait(services, image, variant, work), work
    )
    maybe_evict(services)
    return rendered


def _picture(services: Services, image: Image, variant: Variant, rendered: Rendered) -> Picture:
    media_type, tag = spec(rendered.format).media_type, variant.tag(image)
    return Picture(
        image=image,
        store=services.renditions,
        key=rendered.key,
        size=rendered.size,
        media_type=media_type,
        tag=tag,
        data=rendered.data,
        not_cached=rendered.not_cached,
    )


async def _make_or_wait(services: Services, image: Image, variant: Variant, work: WorkEstimate) -> Rendered:
    """Make a rendition, or wait for another process of this machine that makes it."""
    deadline = services.workers.deadline(work)
    while True:
        ignore_lock = time.monotonic() >= deadline
        try:
            rendered = await decode(
                services.workers, work, draw, services, image, variant, ignore_lock=ignore_lock
            )
        except UnreadableOriginalError as failed:
            raise await missing_original(services, image, str(failed)) from failed
        # While this waits, it holds neither a slot nor a thread.
        rendered = rendered or await _await_other_process(services, image, variant, deadline)
        if rendered is not None:
            _count(services.workers.counters, rendered)
            return rendered


def _estimate(services: Services, image: Image, variant: Variant, payer: Hashable) -> WorkEstimate:
    recipe = variant.recipes[0]
    if recipe is None:
        # Its bytes are copied, no pixel is decoded.
        return WorkEstimate(payer, image.bytes)
    pixels = image.width * image.height * image.frames
    costly = is_costly(image.format, pixels) or (is_slow(variant) and _takes_long(services, image, variant))
    return WorkEstimate(payer, pixels + output_pixels(image, recipe), costly=costly)


def _count(counters: Counters, rendered: Rendered) -> None:
    (counters.made if rendered.is_new else counters.coalesced).inc()
    if not rendered.is_cached:
        counters.not_cached.inc()


async def _await_other_process(
    services: Services, image: Image, variant: Variant, deadline: float
) -> Rendered | None:
    """The rendition that another process made; None when it gave up, or takes too long."""
    pause = MIN_PAUSE
    while time.monotonic() < deadline:
        rendered, is_running = await services.workers.disk(_check_other_process, services, image, variant)
        if rendered is not None or not is_running:
            return rendered
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, MAX_PAUSE)
    return None


def _check_other_process(services: Services, image: Image, variant: Variant) -> tuple[Rendered | None, bool]:
    keys = variant_keys(services, image, variant)
    is_running = services.renditions.locks.is_held(work_key(keys))
    return find(services, keys), is_running
