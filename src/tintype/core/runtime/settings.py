"""Settings of what the use-cases work with: thread pools, allocator, renderers, caches."""

from typing import Annotated

from msgspec import Meta, Struct

from tintype.catalogue.database import READERS
from tintype.core.runtime.fair_queue import BUDGET, LIGHT
from tintype.imaging.sandbox.pool import OWN_MEMORY


class WorkerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How much is done at once in one process."""

    render_queue: Annotated[int, Meta(ge=0)] = 64
    """Images that may wait for a slot; beyond it the newest of the client with the most is refused with
    503.
    """
    render_wait_seconds: Annotated[float, Meta(gt=0)] = 20.0
    """How long a request waits for a slot in total, however often it needs one, before it is refused with
    503, and for another process that makes the same rendition before it is made here too.
    """
    disk_threads: Annotated[int, Meta(ge=1)] = 8
    """Threads that read and write files."""
    catalogue_readers: Annotated[int, Meta(ge=1)] = READERS
    """Transactions that read the catalogue at the same time; one more writes."""
    catalogue_wait_seconds: Annotated[float, Meta(gt=0)] = 4.0
    """How long a change waits to write to the catalogue, which another program may have locked, before it is
    refused with 503.
    """
    malloc_arenas: Annotated[int, Meta(ge=0)] = 2
    """Memory arenas (`M_ARENA_MAX` of glibc) of a worker process: fewer keep less of the memory that was
    freed. A renderer has one. 0: the default of the C library.
    """


class RendererSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The processes that pictures are decoded and drawn in. Nothing else looks into files that came in."""

    count: Annotated[int, Meta(ge=0)] = 0
    """How many images are decoded at the same time, each by a renderer process; 0: one per core, as far as
    half of the memory suffices for them. They are divided among the worker processes.
    """
    memory_bytes: Annotated[int, Meta(ge=OWN_MEMORY + LIGHT)] = BUDGET
    """The memory that all renderers may use together, in bytes, divided among the worker processes. An image
    that needs more is refused.
    """
    seconds: Annotated[float, Meta(gt=0)] = 10.0
    """How long an image may take, in seconds. Then its renderer is killed and replaced."""


class DeferredSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Pictures in formats that are slow to make (AVIF, JPEG XL): something quicker stands in for them."""

    live_pixels: Annotated[int, Meta(ge=0)] = 1_000_000
    """The most pixels of such a rendition that is encoded while the client waits; 0: none is."""
    live_seconds: Annotated[float, Meta(gt=0)] = 0.5
    """The longest that a client waits for one, estimated from the time that earlier ones took."""
    waiting: Annotated[int, Meta(ge=0)] = 32
    """Renditions that may be queued for encoding after a substitute in a faster format was delivered. Further
    ones are dropped, and all of them while clients wait for a slot; the next request queues them again.
    """


class CacheSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What is cached between requests."""

    images: Annotated[int, Meta(ge=0)] = 10_000
    """Image records that each worker process caches; 0: none, and every delivery queries the catalogue."""
    answers: Annotated[int, Meta(ge=0)] = 20_000
    """Results of other queries (tokens, images of batches, links) that each worker process caches until
    anything in the catalogue changes; 0: none."""
