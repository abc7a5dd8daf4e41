"""Where a picture's bytes come from: memory, or a file."""

import io
import os
from mmap import PROT_READ, mmap
from pathlib import Path
from typing import BinaryIO, cast

Source = bytes | mmap | Path


def map_file(descriptor: int) -> Source:
    """An open file, of which what is asked for is read; the descriptor isn't needed any more."""
    return mmap(descriptor, 0, prot=PROT_READ) if os.fstat(descriptor).st_size else b""


def opened(source: Source) -> BinaryIO:
    """The source as a file that can be sought in; the caller closes it."""
    if isinstance(source, mmap):
        return cast("BinaryIO", io.BufferedReader(_Window(source)))
    return source.open("rb") if isinstance(source, Path) else io.BytesIO(source)


def length(source: Source) -> int:
    """How many bytes there are."""
    return source.stat().st_size if isinstance(source, Path) else len(source)


def content(source: Source) -> bytes:
    """All of the source."""
    if isinstance(source, mmap):
        return source[:]
    return source.read_bytes() if isinstance(source, Path) else source


class _Window(io.RawIOBase):
    """A look into a mapped file, with a place of its own."""

    def __init__(self, file: mmap) -> None:
        self._file = file
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: len(self._file)}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # what BufferedReader hands in
        data = self._file[self._at : self._at + len(buffer)]
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
