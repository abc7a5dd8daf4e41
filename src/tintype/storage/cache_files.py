"""Files in cache folders, which may be removed at any time."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

TRIES = 10


def in_folder(folder: Path, opening: Callable[[], T]) -> T:
    """Call `opening`, which opens a file in the folder; create the folder and retry if it is missing.

    Raises:
        OSError: when the file can't be opened, or the folder is removed again and again.
    """
    for _ in range(TRIES):
        try:
            return opening()
        except FileNotFoundError:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    raise OSError(errno.EBUSY, "The folder is removed again and again", str(folder))


def open_shared(path: Path) -> int:
    """Open a file that several processes share; an empty one is created if it is missing."""
    return in_folder(path.parent, lambda: os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
