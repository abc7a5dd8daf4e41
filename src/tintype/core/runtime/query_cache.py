"""Cache of query results, valid until anything in the catalogue changes."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
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
        is_cacheable: whether an answer is kept.
    """

    def __init__(self, cache: QueryCache, prefix: str, is_cacheable: Callable[[V], bool]) -> None:
        self._entries = cache.snapshot()
        self._prefix = prefix
        self._is_cacheable = is_cacheable

    async def answers(self, items: Sequence[K], make: Callable[[], Awaitable[list[V]]]) -> list[V]:
        """The answers to a batch, in its order.

        Args:
            items: all its items, small; or none, if it can't be answered from the cache.
            make: answers the whole batch; called unless all items are cached.
        """
        peek, prefix = self._entries.peek, self._prefix
        values = [peek((prefix, item)) for item in items]
        cached = [answer for answer in values if answer is not None]
        if cached and len(cached) == len(items):
            return cached
        made = await make()
        for item, answer in zip(items, made, strict=False):
            if self._is_cacheable(answer):
                self._entries.put((prefix, item), answer)
        return made
