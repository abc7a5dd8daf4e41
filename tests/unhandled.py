"""What asyncio would write into the log."""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def unhandled() -> Iterator[list[dict[str, Any]]]:
    """Collects what the running loop reports, such as errors that nobody retrieved."""
    contexts: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: contexts.append(context))
    try:
        yield contexts
        gc.collect()
    finally:
        loop.set_exception_handler(None)
