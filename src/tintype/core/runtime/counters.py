"""What this process did since it began, counted for whoever watches it."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """Counts that only grow; they are changed on the event loop alone."""

    made: int = 0
    """Renditions made."""
    shared: int = 0
    """Requests that waited for a rendition that another request had begun."""
    coalesced: int = 0
    """Renditions that were there when it was their turn: another process of the machine had made them."""
    dropped: int = 0
    """Renditions that were not begun because all who asked went away."""
    refused: int = 0
    """Work on pixels that was refused as busy: no place in the queue, or no slot in time."""
    not_cached: int = 0
    """Renditions delivered and not kept: the disk was full, or the cache."""
    evicted: int = 0
    """Renditions removed to make room."""
    originals_missing: int = 0
    """Deliveries that found an original missing or damaged."""
    pixel_seconds: float = 0.0
    """Seconds of slots used for pixels, by uploads too."""
