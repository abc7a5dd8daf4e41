"""Formats that need an optional package: whether it is installed, and the error if it is not."""

import functools
from importlib.util import find_spec

from tintype.imaging.errors import ImageRefused, Reason
from tintype.imaging.formats import SPECS, FormatSpec


def available() -> tuple[FormatSpec, ...]:
    """The formats that can be read in this installation, in the table's order."""
    return tuple(entry for entry in SPECS if is_installed(entry))


def is_installed(entry: FormatSpec) -> bool:
    """Whether the format's package, if it needs one, is installed."""
    return entry.package is None or _is_here(entry.package)


def require(entry: FormatSpec, verb: str = "accepted") -> None:
    """Check that the format's package is installed.

    Raises:
        ImageRefused: when it is not installed; the sentence says what to install.
    """
    if not is_installed(entry):
        command = f"pip install 'tintype-server[{entry.format}]'"
        sentence = f"{entry.name} is {verb} when the extra is installed: {command}."
        raise ImageRefused(Reason.UNSUPPORTED, sentence)


@functools.cache
def _is_here(package: str) -> bool:
    return find_spec(package) is not None
