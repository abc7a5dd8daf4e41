"""Answers that are ready: a picture asked for again is answered from memory, in a straight line.

No coroutine, no thread, no catalogue: the link as it came is looked up, and whether what was prepared for it
still holds. Whatever asks for more than the picture or a 304 goes the long way, through `delivery`.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Annotated, Any, TypeVar

from msgspec import Meta, Struct

from tintype.core import Services
from tintype.core.delivery.render import Picture
from tintype.core.runtime.record_cache import CachedImage
from tintype.imaging import Format
from tintype.imaging.recipe.auto import accepted
from tintype.web.context import Scope
from tintype.web.hosts import Hosts

K = TypeVar("K")
V = TypeVar("V")

Link = tuple[bytes, bytes]
"""The path and the query of a link, as they came."""
Pairs = list[tuple[bytes, bytes]]
"""Header fields as ASGI has them."""
Message = dict[str, Any]

EMPTY_BODY: Message = {"type": "http.response.body", "body": b""}
"""The end of an answer without a body."""
FRESH_SECONDS = 60.0
"""How long an answer stays ready; the next one goes the long way, which also marks its rendition as used."""
BODY_OVERHEAD_BYTES = 1500
"""What a picture in memory takes besides its bytes, and so counts for."""
MAX_LINK = 1024
"""Characters of the longest path and of the longest query of which an answer is kept ready."""
MAX_ACCEPT = 1024
"""Bytes of the longest `Accept` that is read; those of browsers have some 100. A longer one names nothing."""

_READING = frozenset({"GET", "HEAD"})
_TAG, _SINCE = b"if-none-match", b"if-modified-since"
_ACCEPT, _HOST = b"accept", b"host"
_BYPASS_HEADERS = frozenset({_HOST, _TAG, _SINCE, b"range", b"content-length", b"transfer-encoding"})
"""The header fields that can change the answer; a body has to be read before it."""


class DeliverySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept ready in memory: pictures that were asked for twice or more."""

    links: Annotated[int, Meta(ge=0)] = 10_000
    """Links whose answers each worker process keeps ready; 0: none, and no pictures either."""
    memory_bytes: Annotated[int, Meta(ge=0)] = 64 * 1024 * 1024
    """The most bytes of pictures that each worker process keeps in memory; each counts 1,500 more."""
    picture_bytes: Annotated[int, Meta(ge=0)] = 256 * 1024
    """The largest picture that is kept in memory, in bytes; larger ones are sent from their files."""


class CachedBody:
    """A picture in memory, which rests on what is `known` of its image.

    `body` is the message that sends it, and None once it gave way to others.
    """

    __slots__ = ("body", "data", "known", "picture")

    def __init__(self, picture: Picture, known: CachedImage, data: bytes) -> None:
        self.picture = picture
        self.known = known
        self.data: bytes | None = data
        self.body: Message | None = {"type": "http.response.body", "body": data}


class BodyCache:
    """The small pictures asked for last, by tag: at most `memory_bytes` of them.

    Only what is asked for again is worth the room: most renditions are asked for once (by a crawler, or a
    browser that then has its copy), and their bytes between those of pictures under way would leave holes
    in memory that grow with every render.
    """

    def __init__(self, settings: DeliverySettings) -> None:
        self._most = settings.memory_bytes
        self._largest = min(settings.picture_bytes, settings.memory_bytes - BODY_OVERHEAD_BYTES)
        self._held: OrderedDict[str, CachedBody] = OrderedDict()
        self._asked: OrderedDict[str, int] = OrderedDict()
        self._most_asked = settings.links
        self._bytes = 0

    def note(self, tag: str) -> None:
        """Remember that a picture is asked for; of the last `links` that are."""
        _put(self._asked, tag, min(2, self._asked.get(tag, 0) + 1), self._most_asked)

    def seen_twice(self, tag: str) -> bool:
        """Whether a picture was asked for twice, as far as that is remembered."""
        return self._asked.get(tag, 0) > 1

    def get(self, tag: str) -> CachedBody | None:
        """The picture of this tag, if it is in memory, and its image neither purged nor changed since."""
        held = self._held.get(tag)
        if held is not None and not held.known.holds:
            self._drop(tag)
            return None
        return held

    def takes(self, picture: Picture) -> bool:
        """Whether a picture is kept: if it is small, and sought."""
        return picture.size <= self._largest and self.seen_twice(picture.tag)

    def keep(self, picture: Picture, known: CachedImage, data: bytes) -> CachedBody:
        """Keep a picture that `takes` takes; those used longest ago give way."""
        held = self.get(picture.tag)
        if held is not None:
            # Several asked for it at once.
            return held
        held = self._held[picture.tag] = CachedBody(picture, known, data)
        self._bytes += picture.size + BODY_OVERHEAD_BYTES
        while self._bytes > self._most:
            self._drop(next(iter(self._held)))
        return held

    def use(self, held: CachedBody) -> None:
        """Count a picture as used just now."""
        if held.body is not None:
            self._held.move_to_end(held.picture.tag)

    def _drop(self, tag: str) -> None:
        held = self._held.pop(tag, None)
        if held is not None:
            held.body = held.data = None
            self._bytes -= held.picture.size + BODY_OVERHEAD_BYTES


class CachePolicy(Struct, frozen=True):
    """How long clients may keep a picture: `seconds`, and not past `expires` (Unix time) if that is given."""

    seconds: int
    public: bool
    expires: float | None

    def header(self, now: datetime) -> tuple[bytes, bytes] | None:
        """The Cache-Control field at a moment; None once the link has expired."""
        seconds = self.seconds
        if self.expires is not None:
            left = self.expires - now.timestamp()
            if left <= 0:
                return None
            seconds = min(seconds, int(left))
        return b"cache-control", b"%s, max-age=%d" % (b"public" if self.public else b"private", seconds)


class CachedResponse:
    """What is prepared for a link: the header fields of its answers, the picture, and what it all rests on.

    Attributes:
        path: as the log tells it.
        known: the image; when it holds no more, neither does this.
        keys: the generation of the keys that the link was checked against.
        tag: the ETag.
        cache_policy: for links that expire; otherwise Cache-Control is among the fields.
        unmodified: the fields of a 304.
        whole: the fields of a 200; empty while `held` is None.
        held: the picture; None if it is not in memory.
        until: when it has to be prepared anew, on the monotonic clock.
    """

    __slots__ = ("cache_policy", "held", "keys", "known", "path", "tag", "unmodified", "until", "whole")

    def __init__(
        self,
        path: str,
        known: CachedImage,
        keys: int,
        tag: bytes,
        cache_policy: CachePolicy | None,
        unmodified: Pairs,
        whole: Pairs,
        held: CachedBody | None,
    ) -> None:
        self.path = path
        self.known = known
        self.keys = keys
        self.tag = tag
        self.cache_policy = cache_policy
        self.unmodified = unmodified
        self.whole = whole
        self.held = held
        self.until = time.monotonic() + FRESH_SECONDS


CacheResult = tuple[CachedResponse, int, Pairs, Message]
"""What an answer was prepared from, its status, its header fields but for the request id, and its body."""


class ResponseCache:
    """Answers by link: at most `links`; those used longest ago give way.

    Where the picture depends on what the client reads, there is one for each set of such formats.
    """

    def __init__(
        self, services: Services, settings: DeliverySettings, pictures: BodyCache, hosts: Hosts
    ) -> None:
        self._hosts, self._host = hosts, b""
        self._facts = services.record_cache
        self._keyring = services.keyring
        self._clock: Callable[[], datetime] = services.clock
        self._most = settings.links
        self._pictures = pictures
        self._ready: OrderedDict[Link | tuple[Link, AbstractSet[Format]], CachedResponse] = OrderedDict()
        self._varying: OrderedDict[Link, None] = OrderedDict()

    def find(self, scope: Scope) -> CacheResult | None:
        """The answer to a request; None if none is ready, or it asks for anything out of the ordinary."""
        key = link = (scope["raw_path"], scope["query_string"])
        if link in self._varying:
            key = link, accepted_formats(scope["headers"])
        ready = self._ready.get(key)
        if ready is None or scope["method"] not in _READING or not self._holds(ready):
            return None
        told = _has_bypass_header(scope["headers"])
        if told is None or not self._is_served(told[0]):
            return None
        answered = self._answered(ready, told[1], told[2], is_head=scope["method"] == "HEAD")
        if answered is not None:
            self._ready.move_to_end(key)
        return answered

    def put(self, link: Link, ready: CachedResponse, formats: AbstractSet[Format] | None = None) -> None:
        """Keep an answer ready for a link; with formats, for clients that read these of the modern ones."""
        if not ready.known.holds or max(map(len, link)) > MAX_LINK or not self._most:
            return
        if formats is None:
            _put(self._ready, link, ready, self._most)
        else:
            _put(self._varying, link, None, self._most)
            _put(self._ready, (link, formats), ready, self._most)

    def _is_served(self, host: bytes) -> bool:
        # Nearly all ask by the same one.
        if host != self._host:
            if not self._hosts.serve(host):
                return False
            self._host = host
        return True

    def _holds(self, ready: CachedResponse) -> bool:
        now = time.monotonic()
        return (
            ready.known.holds
            and now < ready.until
            and now < self._facts.fresh_until
            and ready.keys == self._keyring.generation
        )

    def _answered(
        self, ready: CachedResponse, tag: bytes | None, since: bytes | None, *, is_head: bool
    ) -> CacheResult | None:
        held = ready.held
        if tag is not None:
            # Any other tag, and any list of them, is read the long way. A tag counts more than a date.
            if tag != ready.tag:
                return None
            status, pairs, body = 304, ready.unmodified, EMPTY_BODY
        elif since is not None or held is None or held.body is None:
            return None
        else:
            status, pairs, body = 200, ready.whole, EMPTY_BODY if is_head else held.body
            self._pictures.use(held)
        if ready.cache_policy is None:
            return ready, status, pairs, body
        cache_policy = ready.cache_policy.header(self._clock())
        return None if cache_policy is None else (ready, status, [*pairs, cache_policy], body)


def _has_bypass_header(headers: Pairs) -> tuple[bytes, bytes | None, bytes | None] | None:
    """Host, If-None-Match, If-Modified-Since; None if one is there twice, or there is more to the request."""
    host, tag, since = b"", None, None
    for name, value in headers:
        if name in _BYPASS_HEADERS:
            if name == _HOST and not host:
                host = value
            elif name == _TAG and tag is None:
                tag = value
            elif name == _SINCE and since is None:
                since = value
            else:
                return None
    return (host, tag, since) if host else None


def accepted_formats(headers: Pairs) -> frozenset[Format]:
    """The modern formats that a client reads, by its `Accept`, not remembered: it may be anything."""
    accept = b",".join([value for name, value in headers if name == _ACCEPT])
    return accepted(accept.decode("latin-1")) if len(accept) <= MAX_ACCEPT else frozenset()


def _put(response_cache: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    response_cache[key] = value
    response_cache.move_to_end(key)
    if len(response_cache) > most:
        response_cache.popitem(last=False)
