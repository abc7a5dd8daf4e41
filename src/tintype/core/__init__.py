"""What tintype does, a verb a file; each use-case opens its own transactions."""

from tintype.core.house import House
from tintype.storage import Staged

__all__ = ["House", "Staged"]
