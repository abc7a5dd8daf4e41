"""The pictures in memory: small ones that were requested twice."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from tintype.core.delivery.render import Picture
from tintype.core.runtime.lru_cache import LRUCache
from tintype.core.runtime.record_cache import CachedImage

Message = dict[str, Any]

BODY_OVERHEAD_BYTES = 1500
"""The overhead of a picture in memory, counted besides its bytes."""


class DeliverySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The response cache in memory, for pictures that were requested twice or more."""

    links: Annotated[int, Meta(ge=0)] = 10_000
    """Links whose responses each worker process caches; 0: none, and no pictures either."""
    memory_bytes: Annotated[int, Meta(ge=0)] = 64 * 1024 * 1024
    """The most bytes of pictures that each worker process keeps in memory; each counts 1,500 more."""
    picture_bytes: Annotated[int, Meta(ge=0)] = 256 * 1024
    """The largest picture that is kept in memory, in bytes; larger ones are sent from their files."""


class CachedBody:
    """A picture in memory, valid as long as the `record` of its image.

    `body` is the ASGI message that sends it; None once it was evicted.
    """

    __slots__ = ("body", "data", "picture", "record")

    def __init__(self, picture: Picture, record: CachedImage, data: bytes) -> None:
        self.picture = picture
        self.record = record
        self.data: bytes | None = data
        self.body: Message | None = {"type": "http.response.body", "body": data}


class BodyCache:
    """An LRU cache of small pictures by tag, at most `memory_bytes` in all.

    A picture is cached only when it is requested a second time: most renditions are requested once (by a
    crawler, or a browser that then caches it), and keeping those would fragment the memory.
    """

    def __init__(self, settings: DeliverySettings) -> None:
        self._max_body_bytes = min(settings.picture_bytes, settings.memory_bytes - BODY_OVERHEAD_BYTES)
        max_bodies = settings.memory_bytes // BODY_OVERHEAD_BYTES
        self._bodies: LRUCache[str, CachedBody] = LRUCache(max_bodies, settings.memory_bytes, _release)
        self._requested_twice: LRUCache[str, bool] = LRUCache(settings.links)

    def record_request(self, tag: str) -> None:
        """Remember that a picture was requested; the last `links` tags are remembered."""
        self._requested_twice.put(tag, self._requested_twice.peek(tag) is not None)

    def seen_twice(self, tag: str) -> bool:
        """Whether a picture was requested twice, as far as that is remembered."""
        return self._requested_twice.peek(tag) is True

    def get(self, tag: str) -> CachedBody | None:
        """The picture of this tag, if it is cached and its image was neither purged nor changed since."""
        cached = self._bodies.peek(tag)
        if cached is not None and not cached.record.is_valid:
            self._bodies.remove(tag)
            return None
        return cached

    def accepts(self, picture: Picture) -> bool:
        """Whether a picture is cached: it is small and was requested twice."""
        return picture.size <= self._max_body_bytes and self.seen_twice(picture.tag)

    def put(self, picture: Picture, record: CachedImage, data: bytes) -> CachedBody:
        """Cache a picture that `accepts` allows; evicts the least recently used."""
        cached = self.get(picture.tag)
        if cached is not None:
            # A concurrent request has cached it.
            return cached
        cached = CachedBody(picture, record, data)
        self._bodies.put(picture.tag, cached, picture.size + BODY_OVERHEAD_BYTES)
        return cached

    def mark_used(self, cached: CachedBody) -> None:
        """Mark a picture as used now."""
        if cached.body is not None:
            self._bodies.mark_used(cached.picture.tag)


def _release(evicted: CachedBody) -> None:
    """Free the bytes: responses may still refer to it."""
    evicted.body = evicted.data = None
