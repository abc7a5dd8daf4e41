"""What tintype does, a verb a file; each use-case opens its own transactions."""

from tintype.core.services import Services
from tintype.storage import Staged

__all__ = ["Services", "Staged"]
