"""What tintype does, a verb a file; each use-case opens its own transactions."""

from tintype.core.house import House

__all__ = ["House"]
