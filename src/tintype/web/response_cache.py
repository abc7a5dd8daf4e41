"""The response cache: a repeated request for a picture is answered from memory.

A hit needs no coroutine, no thread and no query: the raw link is looked up, and the entry validated.
A request for anything but the whole picture or a 304 goes through `delivery`.
"""

import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from datetime import datetime

from msgspec import Struct

from tintype.core import Services
from tintype.core.runtime.lru_cache import LRUCache
from tintype.core.runtime.record_cache import CachedImage
from tintype.imaging import Format
from tintype.web.body_cache import BodyCache, CachedBody, DeliverySettings, Message
from tintype.web.context import Scope
from tintype.web.hosts import Hosts
from tintype.web.negotiate import modern_formats

Link = tuple[bytes, bytes]
"""The raw path and the raw query of a link."""
Pairs = list[tuple[bytes, bytes]]
"""Header fields, as in ASGI."""

EMPTY_BODY: Message = {"type": "http.response.body", "body": b""}
"""The last message of a response without a body."""
FRESH_SECONDS = 60.0
"""How long an entry is used; the next request goes through `delivery`, which marks its rendition as used."""
MAX_LINK = 1024
"""The longest path, and the longest query, of a link that is cached, in bytes."""
MAX_ACCEPT = 1024
"""The longest `Accept` that is parsed, in bytes; browsers send about 100. A longer one counts as empty."""

_CACHEABLE_METHODS = frozenset({"GET", "HEAD"})
_IF_NONE_MATCH, _IF_MODIFIED_SINCE = b"if-none-match", b"if-modified-since"
_ACCEPT, _HOST = b"accept", b"host"
_RELEVANT_HEADERS = frozenset(
    {_HOST, _IF_NONE_MATCH, _IF_MODIFIED_SINCE, b"range", b"content-length", b"transfer-encoding"}
)
"""The header fields that can change the response, or announce a body, which has to be read first."""


class CachePolicy(Struct, frozen=True):
    """How long a response may be cached: `seconds`, and not past `expires` (Unix time) if that is set."""

    seconds: int
    public: bool
    expires: float | None

    def header(self, now: datetime) -> tuple[bytes, bytes] | None:
        """The Cache-Control field at a time; None once the link has expired."""
        seconds = self.seconds
        if self.expires is not None:
            left = self.expires - now.timestamp()
            if left <= 0:
                return None
            seconds = min(seconds, int(left))
        return b"cache-control", b"%s, max-age=%d" % (b"public" if self.public else b"private", seconds)


class CachedResponse:
    """A cached response to a link: header fields, the picture, and what its validity depends on.

    Attributes:
        path: for the log.
        record: the image; when it becomes invalid, so does this.
        key_generation: the generation of the keys that verified the link.
        etag: the ETag.
        cache_policy: for links that expire; otherwise Cache-Control is among the fields.
        not_modified_headers: the fields of a 304.
        ok_headers: the fields of a 200; empty while `body` is None.
        body: the picture; None if it is not in memory.
        fresh_until: when it must be replaced, on the monotonic clock.
    """

    __slots__ = (
        "body",
        "cache_policy",
        "etag",
        "fresh_until",
        "key_generation",
        "not_modified_headers",
        "ok_headers",
        "path",
        "record",
    )

    def __init__(
        self,
        path: str,
        record: CachedImage,
        key_generation: int,
        etag: bytes,
        cache_policy: CachePolicy | None,
        not_modified_headers: Pairs,
        ok_headers: Pairs,
        body: CachedBody | None,
    ) -> None:
        self.path = path
        self.record = record
        self.key_generation = key_generation
        self.etag = etag
        self.cache_policy = cache_policy
        self.not_modified_headers = not_modified_headers
        self.ok_headers = ok_headers
        self.body = body
        self.fresh_until = time.monotonic() + FRESH_SECONDS


CacheResult = tuple[CachedResponse, int, Pairs, Message]
"""The cache entry, the status, the header fields except the request id, and the body message."""


class ResponseCache:
    """An LRU cache of responses by link, at most `links`.

    Where the response varies with Accept, there is an entry for each set of modern formats.
    """

    def __init__(
        self, services: Services, settings: DeliverySettings, pictures: BodyCache, hosts: Hosts
    ) -> None:
        self._hosts, self._last_host = hosts, b""
        self._record_cache = services.record_cache
        self._keyring = services.keyring
        self._clock: Callable[[], datetime] = services.clock
        self._body_cache = pictures
        self._responses: LRUCache[Link | tuple[Link, AbstractSet[Format]], CachedResponse] = LRUCache(
            settings.links
        )
        self._negotiated_links: LRUCache[Link, bool] = LRUCache(settings.links)

    def find(self, scope: Scope) -> CacheResult | None:
        """The cached response to a request; None if there is none, or the request goes through `delivery`."""
        key = link = (scope["raw_path"], scope["query_string"])
        if self._negotiated_links.peek(link):
            key = link, accepted_formats(scope["headers"])
        response = self._responses.peek(key)
        if response is None or scope["method"] not in _CACHEABLE_METHODS or not self._is_valid(response):
            return None
        relevant = _relevant_headers(scope["headers"])
        if relevant is None or not self._is_served(relevant[0]):
            return None
        result = self._respond(response, relevant[1], relevant[2], is_head=scope["method"] == "HEAD")
        if result is not None:
            self._responses.mark_used(key)
        return result

    def put(self, link: Link, response: CachedResponse, formats: AbstractSet[Format] | None = None) -> None:
        """Cache the response to a link; with `formats`, for clients that accept these modern formats."""
        if not response.record.is_valid or max(map(len, link)) > MAX_LINK:
            return
        if formats is None:
            self._responses.put(link, response)
        else:
            self._negotiated_links.put(link, value=True)
            self._responses.put((link, formats), response)

    def _is_served(self, host: bytes) -> bool:
        # Nearly all requests have the same host.
        if host != self._last_host:
            if not self._hosts.serve(host):
                return False
            self._last_host = host
        return True

    def _is_valid(self, response: CachedResponse) -> bool:
        now = time.monotonic()
        return (
            response.record.is_valid
            and now < response.fresh_until
            and now < self._record_cache.fresh_until
            and response.key_generation == self._keyring.generation
        )

    def _respond(
        self, response: CachedResponse, tag: bytes | None, since: bytes | None, *, is_head: bool
    ) -> CacheResult | None:
        cached_body = response.body
        if tag is not None:
            # Other tags and lists go through `delivery`. If-None-Match takes precedence over the date.
            if tag != response.etag:
                return None
            status, pairs, body = 304, response.not_modified_headers, EMPTY_BODY
        elif since is not None or cached_body is None or cached_body.body is None:
            return None
        else:
            status, pairs, body = 200, response.ok_headers, EMPTY_BODY if is_head else cached_body.body
            self._body_cache.mark_used(cached_body)
        if response.cache_policy is None:
            return response, status, pairs, body
        cache_policy = response.cache_policy.header(self._clock())
        return None if cache_policy is None else (response, status, [*pairs, cache_policy], body)


def _relevant_headers(headers: Pairs) -> tuple[bytes, bytes | None, bytes | None] | None:
    """Host, If-None-Match, If-Modified-Since; None if one comes twice, or the request needs `delivery`."""
    host, tag, since = b"", None, None
    for name, value in headers:
        if name in _RELEVANT_HEADERS:
            if name == _HOST and not host:
                host = value
            elif name == _IF_NONE_MATCH and tag is None:
                tag = value
            elif name == _IF_MODIFIED_SINCE and since is None:
                since = value
            else:
                return None
    return (host, tag, since) if host else None


def accepted_formats(headers: Pairs) -> frozenset[Format]:
    """The modern formats that a client accepts. Not memoized: `Accept` may be anything."""
    accept = b",".join([value for name, value in headers if name == _ACCEPT])
    return modern_formats(accept.decode("latin-1")) if len(accept) <= MAX_ACCEPT else frozenset()
