"""The one cache in memory: bounded in entries and in bytes, least recently used out first."""

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable
from itertools import islice
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_ABSENT: Any = object()


class LRUCache(Generic[K, V]):
    """A cache that removes what was used longest ago when it exceeds a bound. For one thread.

    Keys are small: made by the service, or what a client sent after its length was checked.

    Args:
        max_entries: the most entries; 0: nothing is cached.
        max_bytes: the most bytes of all entries, by the sizes that `put` is told.
        on_remove: called with each value that is evicted, removed or replaced.

    Attributes:
        peek: the value of a key, or None or another default; its place in the order of use stays.
        mark_used: mark an existing key as used now; KeyError if it is not there.
    """

    def __init__(
        self,
        max_entries: int,
        max_bytes: float = math.inf,
        on_remove: Callable[[V], None] | None = None,
    ) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._on_remove = on_remove
        self._entries: OrderedDict[K, V] = OrderedDict()
        self._sizes: dict[K, int] = {}
        self._bytes = 0
        # The methods of OrderedDict themselves, as each delivery from memory calls them: a function in Python
        # around them would take longer than they do.
        self.peek = self._entries.get
        self.mark_used = self._entries.move_to_end

    def __len__(self) -> int:
        """How many entries there are."""
        return len(self._entries)

    def get(self, key: K) -> V | None:
        """The value of a key, which is used now; None if it is not cached."""
        value = self._entries.get(key)
        if value is not None:
            self._entries.move_to_end(key)
        return value

    def oldest(self, count: int) -> list[tuple[K, V]]:
        """So many of the entries that were used longest ago, as keys and values."""
        return list(islice(self._entries.items(), count))

    def put(self, key: K, value: V, size: int = 0) -> None:
        """Cache a value of so many bytes in place of the one before, and evict what exceeds the bounds."""
        if key in self._entries:
            self.remove(key)
        self._entries[key] = value
        if size:
            self._sizes[key] = size
            self._bytes += size
        while len(self._entries) > self._max_entries or self._bytes > self._max_bytes:
            self.remove(next(iter(self._entries)))

    def remove(self, key: K) -> None:
        """Remove an entry, if it is there."""
        value = self._entries.pop(key, _ABSENT)
        if value is _ABSENT:
            return
        self._bytes -= self._sizes.pop(key, 0)
        if self._on_remove is not None:
            self._on_remove(value)

    def clear(self) -> None:
        """Remove all entries."""
        for key in list(self._entries):
            self.remove(key)
