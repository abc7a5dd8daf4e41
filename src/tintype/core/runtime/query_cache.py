"""Cache of query results, valid until anything in the catalogue changes."""

from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from tintype.core.runtime.lru_cache import LRUCache

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_ABSENT: Any = object()


class QueryCache:
    """Query results of all accounts; a change of any record invalidates all of them.

    Args:
        state: the version of the catalogue's data, which differs after any process has changed it; None
            while it is unknown, and then nothing is cached.
        max_entries: the most results; beyond it the oldest are evicted.
    """

    def __init__(self, state: Callable[[], Hashable | None], max_entries: int) -> None:
        self._state = state
        self._max_entries = max_entries
        self._version: Hashable | None = None
        self._entries: LRUCache[Hashable, Any] = LRUCache(max_entries)

    def snapshot(self) -> LRUCache[Hashable, Any]:
        """The cache for the current data version; store into the one you read from.

        After a change there is a new one: a result queried before the change and stored after it goes into
        the old one, which is no longer used.
        """
        version = self._state()
        if version is None or version != self._version:
            self._version, self._entries = version, LRUCache(self._max_entries)
        return self._entries

    async def get(self, key: Hashable, query: Callable[[], Awaitable[V]]) -> V:
        """The cached result of a query, which is made if there is none."""
        cached = self.snapshot()
        value: V = cached.peek(key, _ABSENT)
        if value is _ABSENT:
            value = await query()
            cached.put(key, value)
        return value


class BatchCache(Generic[K, V]):
    """What was answered to the items of batches, cached until anything in the catalogue changes.

    Args:
        cache: the cache, as it is before the batch is looked up.
        prefix: what the answers depend on besides the item: the account, and the like.
    """

    def __init__(self, cache: QueryCache, prefix: str) -> None:
        self._entries = cache.snapshot()
        self._prefix = prefix

    def find(self, items: Sequence[K]) -> list[V] | None:
        """The answers to all items, in their order; None if one is not cached, or there are no items."""
        peek, prefix = self._entries.peek, self._prefix
        values = [peek((prefix, item)) for item in items]
        cached = [answer for answer in values if answer is not None]
        return cached if cached and len(cached) == len(items) else None

    def add(self, answers: Iterable[tuple[K, V]]) -> None:
        """Cache answers to items; they must be small, and made by the service."""
        for item, answer in answers:
            self._entries.put((self._prefix, item), answer)
