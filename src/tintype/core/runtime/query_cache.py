"""What the catalogue answered, cached until anything in the catalogue changes."""

from collections.abc import Callable, Hashable
from typing import Any


class QueryCache:
    """Answers of the catalogue to queries, of all accounts; a change of any record invalidates all of them.

    Args:
        state: the version of the catalogue's data, which is another once any process has changed it; None
            while it is unknown: then nothing is cached.
        max_entries: when there are so many, all are dropped.
    """

    def __init__(self, state: Callable[[], Hashable | None], max_entries: int) -> None:
        self._state = state
        self._max_entries = max_entries
        self._version: Hashable | None = None
        self._entries: dict[Hashable, Any] = {}

    def snapshot(self) -> dict[Hashable, Any]:
        """The cache for the present version of the data: store an answer into the dict that was read from.

        A change makes a new dict. What was queried before the change and is stored later goes into the old
        one, which nobody reads any more.
        """
        version = self._state()
        if version is None or version != self._version or len(self._entries) >= self._max_entries:
            self._version, self._entries = version, {}
        return self._entries
