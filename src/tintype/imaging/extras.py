"""Formats that need a package more: whether it is here, and what to say when it isn't."""

import functools
from importlib.util import find_spec

from tintype.imaging.errors import ImageRefused, Reason
from tintype.imaging.formats import ROWS, Row


def available() -> tuple[Row, ...]:
    """The rows of the formats that can be read here, in the table's order."""
    return tuple(entry for entry in ROWS if is_installed(entry))


def is_installed(entry: Row) -> bool:
    """Whether the package that the format needs, if any, is installed."""
    return entry.package is None or _is_here(entry.package)


def require(entry: Row, verb: str = "accepted") -> None:
    """Raise ImageRefused (unsupported), with what to install, where the format can't be read or written."""
    if not is_installed(entry):
        said = f"{entry.name} is {verb} when the extra is installed: pip install 'tintype[{entry.format}]'."
        raise ImageRefused(Reason.UNSUPPORTED, said)


@functools.cache
def _is_here(package: str) -> bool:
    return find_spec(package) is not None
