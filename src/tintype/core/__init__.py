"""The use-cases of tintype; each opens its own transactions."""

from tintype.core.services import Services
from tintype.storage import Staged

__all__ = ["Services", "Staged"]
