"""Pictures for delivery: the original, or a rendition from the cache, made once if it is not there."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import BinaryIO

import structlog
from msgspec import Struct, structs

from tintype.core.delivery.evict import maybe_evict
from tintype.core.delivery.missing_original import missing_original
from tintype.core.delivery.variant import (
    SLOW,
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
from tintype.imaging import Format, ImageRefused, Reason, Recipe, spec
from tintype.imaging.extras import is_installed
from tintype.imaging.sandbox.pool import Allowance, RenderResult
from tintype.model import Image, Invalid
from tintype.storage import BlobReader, RenditionWriter, durable
from tintype.storage.blobs import digest

AdmissionCheck = Callable[[], Awaitable[None]]

MIN_PAUSE, MAX_PAUSE = 0.01, 0.1
"""Seconds between two polls for a rendition that another process makes."""

log = structlog.get_logger("tintype")


REQUEST_TOO_COSTLY = frozenset({Reason.OUTPUT_TOO_LARGE, Reason.TOO_COSTLY})
"""Refusals that are due to the request, not to a damaged original."""


class Client(Struct, frozen=True):
    """The client for which a rendition is made.

    Attributes:
        payer: who pays for the work (see WorkEstimate).
        admission_check: awaited before anything is rendered; what it raises is passed on.
    """

    payer: Hashable
    admission_check: AdmissionCheck | None = None


class UnreadableOriginalError(Exception):
    """An original is missing, or differs from what was uploaded."""


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
    rendered = await services.workers.disk(_find, services, _keys(services, image, best))
    if rendered is not None:
        return _picture(services, image, best, rendered)
    if variants.stand_ins and _is_deferred(services, image, best):
        return await _stand_in(services, image, best, variants.stand_ins[0], client)
    return _picture(services, image, best, await _make_once(services, image, best, client))


async def touch(services: Services, picture: Picture) -> None:
    """Mark the file of a rendition as used now, when its bytes are delivered from memory."""
    await services.workers.disk(services.renditions.find, picture.key)


class _Rendered(Struct, frozen=True):
    """A rendition; if it was just made and is small, with its bytes."""

    key: str
    format: Format
    size: int
    data: bytes | None = None
    not_cached: RenditionWriter | None = None
    is_new: bool = False
    is_cached: bool = True


_Drawn = RenderResult[RenditionWriter]

_Keys = dict[Format, str]
"""The key of the result for each format that it may have: one, unless several are tried."""


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
    rendered = await services.workers.disk(_find, services, _keys(services, image, other))
    rendered = rendered or await _make_once(services, image, other, client)
    background = Client(client.payer)
    services.deferred.add(
        _key(_keys(services, image, best)), lambda: _make_once(services, image, best, background)
    )
    return structs.replace(_picture(services, image, other, rendered), is_stand_in=True)


async def _make_once(services: Services, image: Image, variant: Variant, client: Client) -> _Rendered:
    key = _key(_keys(services, image, variant))
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


def _picture(services: Services, image: Image, variant: Variant, rendered: _Rendered) -> Picture:
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


def _keys(services: Services, image: Image, variant: Variant) -> _Keys:
    fingerprint = variant.fingerprint()
    return {
        format: services.renditions.key(image.id, image.version, fingerprint, spec(format).extensions[0])
        for format in variant.formats
    }


def _key(keys: _Keys) -> str:
    """The key of the work on it, for singleflight in this process and for locks between processes."""
    return next(iter(keys.values()))


def _find(services: Services, keys: _Keys) -> _Rendered | None:
    for format, key in keys.items():
        size = services.renditions.find(key)
        if size is not None:
            return _Rendered(key, format, size)
    return None


async def _make_or_wait(services: Services, image: Image, variant: Variant, work: WorkEstimate) -> _Rendered:
    """Make a rendition, or wait for another process of this machine that makes it."""
    deadline = services.workers.deadline(work)
    while True:
        ignore_lock = time.monotonic() >= deadline
        try:
            rendered = await decode(
                services.workers, work, _render, services, image, variant, ignore_lock=ignore_lock
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


def _count(counters: Counters, rendered: _Rendered) -> None:
    (counters.made if rendered.is_new else counters.coalesced).inc()
    if not rendered.is_cached:
        counters.not_cached.inc()


async def _await_other_process(
    services: Services, image: Image, variant: Variant, deadline: float
) -> _Rendered | None:
    """The rendition that another process made; None when it gave up, or takes too long."""
    pause = MIN_PAUSE
    while time.monotonic() < deadline:
        rendered, is_running = await services.workers.disk(_check_other_process, services, image, variant)
        if rendered is not None or not is_running:
            return rendered
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, MAX_PAUSE)
    return None


def _check_other_process(services: Services, image: Image, variant: Variant) -> tuple[_Rendered | None, bool]:
    keys = _keys(services, image, variant)
    is_running = services.renditions.locks.is_held(_key(keys))
    return _find(services, keys), is_running


def _render(
    allowance: Allowance, services: Services, image: Image, variant: Variant, *, ignore_lock: bool
) -> _Rendered | None:
    """Make a rendition unless it is cached by now; None if another process holds the lock.

    With `ignore_lock` it is made in any case.
    """
    keys = _keys(services, image, variant)
    with services.renditions.locks.hold(_key(keys)) as is_ours:
        if not is_ours and not ignore_lock:
            return None
        return _find(services, keys) or _cache(
            services, keys, _smallest(allowance, services, image, variant, keys)
        )


def _smallest(
    allowance: Allowance, services: Services, image: Image, variant: Variant, keys: _Keys
) -> _Drawn:
    """The result of the recipe; of several recipes the smallest, and the first among equals."""
    # All of them together have the time of one image.
    began, drawn = time.monotonic(), list[_Drawn]()
    for recipe in variant.recipes:
        rest = allowance.after(time.monotonic() - began)
        drawn.append(_draw(rest, services, image, recipe, _key(keys)))
    return min(drawn, key=lambda each: each.made.size)


def _draw(allowance: Allowance, services: Services, image: Image, recipe: Recipe | None, key: str) -> _Drawn:
    limits, source_limits = services.images.output_limits(), services.images.input_limits()

    def spool() -> RenditionWriter:
        return services.renditions.open_writer(key)

    began = time.perf_counter()
    try:
        # A result that is too large for memory is written to a file.
        with _open_original(services, image) as source, durable.storage_errors():
            if recipe is None:
                return services.renderers.strip(source.fileno(), image.format, allowance, spool)
            drawn = services.renderers.render(
                source.fileno(), recipe, limits, source_limits, allowance, spool
            )
    except ImageRefused as failed:
        if recipe is not None and (
            failed.reason in REQUEST_TOO_COSTLY or _lacks_extra(image, recipe, failed)
        ):
            raise Invalid(str(failed)) from failed
        # It was decoded at its upload: either the file has changed, or it can't be worked on like this.
        if _is_intact(services, image):
            log.warning("rendition-refused", image=str(image.id), rendition=key, reason=str(failed))
            raise Invalid(_sentence(recipe)) from failed
        raise UnreadableOriginalError(str(failed)) from failed
    rendered = drawn.made
    if rendered.format in SLOW:
        services.deferred.record_duration(
            rendered.format, rendered.width * rendered.height, time.perf_counter() - began
        )
    return drawn


def _sentence(recipe: Recipe | None) -> str:
    if recipe is None:
        return "The metadata of this original can't be removed."
    return "This picture can't be drawn like this."


def _open_original(services: Services, image: Image) -> BinaryIO:
    """Open the original.

    Raises:
        UnreadableOriginalError: when it is missing, or its size is wrong.
    """
    try:
        file = services.originals.open(image.sha256)
    except FileNotFoundError:
        raise UnreadableOriginalError("the file is gone") from None
    if os.fstat(file.fileno()).st_size != image.bytes:
        # Some decoders accept a truncated file.
        file.close()
        raise UnreadableOriginalError("the file has not the size that is recorded")
    return file


def _is_intact(services: Services, image: Image) -> bool:
    """Whether the original has the bytes that were uploaded."""
    try:
        return digest(services.originals, image.sha256) == image.sha256
    except FileNotFoundError:
        return False


def _lacks_extra(image: Image, recipe: Recipe, failed: ImageRefused) -> bool:
    formats = (image.format, recipe.format or image.format)
    return failed.reason is Reason.UNSUPPORTED and not all(is_installed(spec(each)) for each in formats)


def _cache(services: Services, keys: _Keys, drawn: _Drawn) -> _Rendered:
    rendered, data, writer = drawn.made, drawn.data, drawn.file
    key, is_cached = keys[rendered.format], False
    try:
        if data is not None:
            is_cached = services.renditions.put(key, data)
        elif writer is not None:
            is_cached = services.renditions.commit(key, writer, rendered.size)
    except FileNotFoundError:
        # Its folder was removed meanwhile: the image was purged or deleted.
        pass
    except OSError as failed:
        # The disk is full: deliver it without caching it.
        log.warning("rendition-not-cached", rendition=key, reason=failed.strerror)
    return _Rendered(
        key,
        rendered.format,
        rendered.size,
        data,
        None if is_cached else writer,
        is_new=True,
        is_cached=is_cached,
    )
