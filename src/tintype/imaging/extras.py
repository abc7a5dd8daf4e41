"""Formats that need a package more: whether it is here, and what to say when it isn't."""

import functools
from importlib.util import find_spec

from tintype.imaging.errors import ImageRefused, Reason
from tintype.imaging.formats import SPECS, FormatSpec


def available() -> tuple[FormatSpec, ...]:
    """The rows of the formats that can be read here, in the table's order."""
    return tuple(entry for entry in SPECS if is_installed(entry))


def is_installed(entry: FormatSpec) -> bool:
    """Whether the package that the format needs, if any, is installed."""
    return entry.package is None or _is_here(entry.package)


def require(entry: FormatSpec, verb: str = "accepted") -> None:
    """Raise ImageRefused (unsupported), with what to install, where the format can't be read or written."""
    if not is_installed(entry):
        sentence = (
            f"{entry.name} is {verb} when the extra is installed: pip install 'tintype[{entry.format}]'."
        )
        raise ImageRefused(Reason.UNSUPPORTED, sentence)


@functools.cache
def _is_here(package: str) -> bool:
    return find_spec(package) is not None
