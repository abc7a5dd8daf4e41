"""Cache of image records in this process, so that a repeated request needs no query."""

import time
from uuid import UUID

from tintype.core.runtime.lru_cache import LRUCache
from tintype.model import Image, Publications

FRESH_SECONDS = 0.9
"""How long the cache may be used after the last poll for changes: an image that any process deletes, replaces
or archives is delivered for one second more at most."""


class CachedImage:
    """An image record and the publications of its account, as read from the catalogue.

    `is_valid` becomes False once either has changed, or the entry was evicted.
    """

    __slots__ = ("image", "is_valid", "publications")

    def __init__(self, image: Image, publications: Publications, *, is_valid: bool) -> None:
        self.image = image
        self.publications = publications
        self.is_valid = is_valid


class RecordCache:
    """An LRU cache of image records, by id and by number.

    Entries are used only until `fresh_until` (on the monotonic clock), which the poller of changes keeps
    extending. Without a poller nothing is cached.

    Args:
        max_entries: images that are cached; 0 turns the cache off.
    """

    def __init__(self, max_entries: int) -> None:
        self._max_entries = max_entries
        self._entries: LRUCache[UUID, CachedImage] = LRUCache(max_entries, on_remove=self._forget)
        self._ids: dict[int, UUID] = {}
        self.fresh_until = 0.0
        self.generation = 0
        """Bumped on every invalidation; a value read under an older generation must not be cached."""

    def get(self, key: UUID | int) -> CachedImage | None:
        """The entry of an image, by id or number; None if there is none, or the cache is not fresh."""
        id = self._ids.get(key) if isinstance(key, int) else key
        if id is None or time.monotonic() >= self.fresh_until:
            return None
        return self._entries.get(id)

    def put(self, image: Image, publications: Publications, generation: int) -> CachedImage:
        """Cache an image that was read under a generation; not if that is no longer the current one."""
        present = self.get(image.id)
        if present is not None and (present.image, present.publications) == (image, publications):
            # A request that ends in 404 reads it again: a new entry would invalidate cached responses.
            return present
        is_valid = (
            generation == self.generation and self._max_entries > 0 and time.monotonic() < self.fresh_until
        )
        entry = CachedImage(image, publications, is_valid=is_valid)
        if is_valid:
            self._entries.put(image.id, entry)
            self._ids[image.number] = image.id
        return entry

    def invalidate(self, id: UUID) -> None:
        """Drop the entry of an image; what was read before this call is not cached any more."""
        self.generation += 1
        self._entries.remove(id)

    def invalidate_all(self) -> None:
        """Drop all entries."""
        self.generation += 1
        self._entries.clear()

    def extend_freshness(self, polled_at: float) -> None:
        """All changes up to `polled_at` (on the monotonic clock) have been applied."""
        self.fresh_until = polled_at + FRESH_SECONDS

    def _forget(self, entry: CachedImage) -> None:
        entry.is_valid = False
        del self._ids[entry.image.number]
