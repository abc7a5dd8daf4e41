"""Where a picture's bytes come from: memory, or a file."""

import io
from pathlib import Path
from typing import BinaryIO

Source = bytes | Path


def opened(source: Source) -> BinaryIO:
    """The source as a file that can be sought in; the caller closes it."""
    return source.open("rb") if isinstance(source, Path) else io.BytesIO(source)


def length(source: Source) -> int:
    """How many bytes there are."""
    return source.stat().st_size if isinstance(source, Path) else len(source)


def content(source: Source) -> bytes:
    """All of the source."""
    return source.read_bytes() if isinstance(source, Path) else source
