"""Rendering, on a thread: a variant is drawn from the original and cached, under a lock."""

import os
import time
from typing import BinaryIO

import structlog
from msgspec import Struct

from tintype.core.delivery.variant import SLOW, Variant
from tintype.core.services import Services
from tintype.imaging import Format, ImageRefused, Reason, Recipe, spec
from tintype.imaging.extras import is_installed
from tintype.imaging.sandbox.pool import Allowance, RenderResult
from tintype.model import Image, Invalid
from tintype.storage import RenditionWriter, durable
from tintype.storage.blobs import digest

REQUEST_TOO_COSTLY = frozenset({Reason.OUTPUT_TOO_LARGE, Reason.TOO_COSTLY})
"""Refusals that are due to the request, not to a damaged original."""

Keys = dict[Format, str]
"""The key of the result for each format that it may have: one, unless several are tried."""

_Drawn = RenderResult[RenditionWriter]

log = structlog.get_logger("tintype")


class UnreadableOriginalError(Exception):
    """An original is missing, or differs from what was uploaded."""


class Rendered(Struct, frozen=True):
    """A rendition; if it was just made and is small, with its bytes."""

    key: str
    format: Format
    size: int
    data: bytes | None = None
    not_cached: RenditionWriter | None = None
    is_new: bool = False
    is_cached: bool = True


def variant_keys(services: Services, image: Image, variant: Variant) -> Keys:
    """Where a variant is cached."""
    fingerprint = variant.fingerprint()
    return {
        format: services.renditions.key(image.id, image.version, fingerprint, spec(format).extensions[0])
        for format in variant.formats
    }


def work_key(keys: Keys) -> str:
    """The key of the work on it, for singleflight in this process and for locks between processes."""
    return next(iter(keys.values()))


def find(services: Services, keys: Keys) -> Rendered | None:
    """The rendition if it is cached; it counts as used now."""
    for format, key in keys.items():
        size = services.renditions.find(key)
        if size is not None:
            return Rendered(key, format, size)
    return None


def draw(
    allowance: Allowance, services: Services, image: Image, variant: Variant, *, ignore_lock: bool
) -> Rendered | None:
    """Make a rendition unless it is cached by now; None if another process holds the lock.

    With `ignore_lock` it is made in any case.
    """
    keys = variant_keys(services, image, variant)
    with services.renditions.locks.hold(work_key(keys)) as is_ours:
        if not is_ours and not ignore_lock:
            return None
        return find(services, keys) or _cache(
            services, keys, _smallest(allowance, services, image, variant, keys)
        )


def _smallest(allowance: Allowance, services: Services, image: Image, variant: Variant, keys: Keys) -> _Drawn:
    """The result of the recipe; of several recipes the smallest, and the first among equals."""
    # All of them together have the time of one image.
    began, drawn = time.monotonic(), list[_Drawn]()
    for recipe in variant.recipes:
        rest = allowance.after(time.monotonic() - began)
        drawn.append(_draw_one(rest, services, image, recipe, work_key(keys)))
    return min(drawn, key=lambda each: each.made.size)


def _draw_one(
    allowance: Allowance, services: Services, image: Image, recipe: Recipe | None, key: str
) -> _Drawn:
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


def _cache(services: Services, keys: Keys, drawn: _Drawn) -> Rendered:
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
    return Rendered(
        key,
        rendered.format,
        rendered.size,
        data,
        None if is_cached else writer,
        is_new=True,
        is_cached=is_cached,
    )
