"""What the catalogue answered, remembered until anybody changes anything in it."""

from collections.abc import Callable, Hashable
from typing import Any


class Memory:
    """Answers of the catalogue, at most about `most` of them.

    Args:
        state: what is other once anybody has changed the catalogue, in any process; None if that can't be
            told.
        most: how many answers are remembered; beyond it all are forgotten.
    """

    def __init__(self, state: Callable[[], Hashable | None], most: int) -> None:
        self._state = state
        self._most = most
        self._seen: Hashable | None = None
        self._page: dict[Hashable, Any] = {}

    def page(self) -> dict[Hashable, Any]:
        """The answers that are true now. What is asked after this belongs on the same page.

        A change begins a new page: what was asked before it and comes later lands on the old one, which
        nobody reads any more.
        """
        state = self._state()
        if state is None or state != self._seen or len(self._page) >= self._most:
            self._seen, self._page = state, {}
        return self._page
