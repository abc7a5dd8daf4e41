"""Cache of query results, valid until anything in the catalogue changes."""

from collections.abc import Callable, Hashable
from typing import Any


class QueryCache:
    """Query results of all accounts; a change of any record invalidates all of them.

    Args:
        state: the version of the catalogue's data, which differs after any process has changed it; None
            while it is unknown, and then nothing is cached.
        max_entries: once there are so many, all are dropped.
    """

    def __init__(self, state: Callable[[], Hashable | None], max_entries: int) -> None:
        self._state = state
        self._max_entries = max_entries
        self._version: Hashable | None = None
        self._entries: dict[Hashable, Any] = {}

    def snapshot(self) -> dict[Hashable, Any]:
        """The cache for the current data version; store into the dict you read from.

        After a change there is a new dict: a result queried before the change and stored after it goes into
        the old one, which is no longer used.
        """
        version = self._state()
        if version is None or version != self._version or len(self._entries) >= self._max_entries:
            self._version, self._entries = version, {}
        return self._entries
