"""The source of an image's bytes: memory, or a file."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from mmap import PROT_READ, mmap
from pathlib import Path

Source = bytes | mmap | Path
Buffer = bytes | mmap
"""Bytes with random access; the pages of an mmap take memory only when they are read."""


def map_file(descriptor: int) -> Buffer:
    """Map an open file into memory; the descriptor may be closed afterwards."""
    return mmap(descriptor, 0, prot=PROT_READ) if os.fstat(descriptor).st_size else b""


@contextmanager
def mapped(source: Source) -> Iterator[Buffer]:
    """The source as a buffer, while the block runs."""
    if not isinstance(source, Path):
        yield source
        return
    with source.open("rb") as file:
        data = map_file(file.fileno())
    try:
        yield data
    finally:
        if isinstance(data, mmap):
            data.close()


def length(source: Source) -> int:
    """How many bytes there are."""
    return source.stat().st_size if isinstance(source, Path) else len(source)


def content(source: Source) -> bytes:
    """All of the source, in memory."""
    with mapped(source) as data:
        return data[:]
