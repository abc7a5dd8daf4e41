"""Finds the image a link names, from cache while it is fresh; polls the outbox to invalidate."""

import asyncio
import threading
import time
from collections.abc import Hashable
from contextlib import suppress
from uuid import UUID

from tintype.catalogue import CatalogueError, images
from tintype.catalogue.outbox import Changes, OutboxReader
from tintype.core.runtime.record_cache import CachedImage
from tintype.core.services import Services
from tintype.model import Error, Links, Status, no_such_image

POLL_SECONDS = 0.25
"""Seconds between two polls for changes."""


async def find_deliverable(
    services: Services,
    dialect: str,
    key: UUID | int,
    version: int | None = None,
    *,
    default: Links | None = None,
) -> CachedImage:
    """The image that a link names, by id or number, if it is delivered.

    Args:
        dialect: the dialect of the link.
        key: the image.
        version: the version that the link was made for; None: the present one.
        default: for an unsigned link, the dialect's kind of links unless the account sets another;
            None: the link is signed.

    Raises:
        NotFound: when there is none, its version is not the link's, it is archived, its account doesn't
            publish through the dialect, or only by signed links. All take the same time.
    """
    cached = services.record_cache.get(key)
    if cached is not None and _is_delivered(cached, dialect, version, default):
        return cached
    # The cache never refuses: another process may have just made a version that is not known here yet.
    # The generation is read before the query: a result from before a change must not be cached after it.
    generation = services.record_cache.generation
    deliverable = await services.catalogue.read(images.find_deliverable, dialect, key, version, default)
    if deliverable is None:
        raise no_such_image()
    return services.record_cache.put(*deliverable, generation)


class ChangePoller:
    """Polls for changes by any process and invalidates the cache; also reloads the keys.

    It has its own thread and connection: when requests have to wait, the cache must stay fresh, or each of
    them would query the catalogue as well.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._connection = services.catalogue.polling_connection()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="change-poller", daemon=True)
        self._loop = asyncio.get_running_loop()
        self._state: Hashable | None = None
        self._outbox = OutboxReader()
        self._scheduled = 0
        self._applied = 0

    def start(self) -> None:
        """Start polling, for the event loop that this was created on."""
        self._thread.start()

    async def stop(self) -> None:
        """Stop polling."""
        self._stop.set()
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while not self._stop.is_set():
            # When the catalogue fails, the cache soon is no longer fresh; requests then query the catalogue
            # and raise its error.
            with suppress(CatalogueError, Error, OSError):
                self._catch_up()
            self._stop.wait(POLL_SECONDS)
        self._connection.close()

    def _catch_up(self) -> None:
        polled_at = time.monotonic()
        self._services.keyring.reload()
        changes = self._read_changes(polled_at)
        if changes == Changes() and self._scheduled == self._applied:
            self._services.record_cache.extend_freshness(polled_at)
            return
        # On the event loop, in order: the cache becomes fresh only after these invalidations.
        self._scheduled += 1
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._apply, changes, polled_at)

    def _read_changes(self, now: float) -> Changes:
        state = self._connection.state()
        if state == self._state:
            return Changes()
        changes = self._connection.read(self._outbox.read, now)
        self._state = state
        return changes

    def _apply(self, changes: Changes, polled_at: float) -> None:
        cache = self._services.record_cache
        if changes.missed or None in changes.images:
            cache.invalidate_all()
        for image in changes.images:
            if image is not None:
                cache.invalidate(image)
        cache.extend_freshness(polled_at)
        self._applied += 1


def _is_delivered(cached: CachedImage, dialect: str, version: int | None, default: Links | None) -> bool:
    image, published = cached.image, cached.publications
    if dialect not in published or image.status is not Status.ACTIVE:
        return False
    is_signed = default is None
    return version in {None, image.version} and (is_signed or (published[dialect] or default) is Links.PLAIN)
