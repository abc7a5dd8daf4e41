"""Counters of this process since its start, for `/metrics`."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """Monotonic counters, changed only on the event loop."""

    made: int = 0
    """Renditions made."""
    shared: int = 0
    """Requests that waited for a rendition that another request had begun."""
    coalesced: int = 0
    """Renditions that another process of the machine had made before it was their turn."""
    dropped: int = 0
    """Renditions not begun because all clients disconnected."""
    refused: int = 0
    """Work on pixels that was shed: the queue was full, or no slot became free in time."""
    not_cached: int = 0
    """Renditions delivered but not cached: the disk or the cache was full."""
    evicted: int = 0
    """Renditions evicted from the cache."""
    originals_missing: int = 0
    """Deliveries that found an original missing or damaged."""
    pixel_seconds: float = 0.0
    """Seconds of render slots used, by uploads too."""
