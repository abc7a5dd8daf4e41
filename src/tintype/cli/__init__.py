"""The command line."""

from tintype.cli.main import main

__all__ = ["main"]
