"""Waits for what another process or thread does."""

import time
from collections.abc import Callable

PAUSE = 0.01


def until(holds: Callable[[], bool], seconds: float = 30.0, why: str = "") -> None:
    """Wait until something holds; fail with `why` if it doesn't within so many seconds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, why
        time.sleep(PAUSE)
