"""Decodes all of a JPEG, and refuses what libjpeg only warns of: data that lacks, is too much, or is invalid.

libjpeg fills in grey, and libvips reports only the first warning, and not how far the decoder has read. So it
reads through a source of ours. A picture is whole if the decoder read the scan to its end, without a warning.
After a warning it is decoded again: stray bytes before a marker, which decoders skip, are left out place by
place, until there is no warning, or one of another kind.
"""

import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import pyvips

from tintype.imaging.codecs.packages import refusal
from tintype.imaging.errors import damaged
from tintype.imaging.headers.jpeg import END_MARK, Layout, lacks_end, layout
from tintype.imaging.source import Buffer, Source, content, mapped

T = TypeVar("T")

MARKER = re.compile(rb"\xff[^\x00\xff]")
STRAY = re.compile(r"(\d+) extraneous bytes before marker 0x[0-9a-f]{2}")
"""libjpeg's warning for bytes that belong to nothing, which it skips."""
MAX_STRAY_BYTES = 16
"""Stray bytes in one place that are tolerated: some writers leave a few, and nothing is lost by it."""
MAX_STRAY_PLACES = 16
FINE, AHEAD, SEARCHED = 8, 256, 2**18
"""Bytes of a read near the end of the scan, and how far before it that begins; and bytes searched at once."""
WARNINGS = re.compile(r"read gave (\d+) warnings")


def with_end(source: Source) -> Source:
    """The source, with the end mark if that is missing: without it libvips loses the last lines.

    Raises:
        ImageRefused: when it is damaged or too costly.
    """
    with mapped(source) as data:
        if not lacks_end(data):
            return source
    return content(source) + END_MARK


def decode(data: Buffer, shrink: int, draw: Callable[[pyvips.Image], T]) -> T:
    """The result of `draw` for the decoded picture, of which it has to read all rows.

    The height is that of the file, divided by `shrink`, and rounded up; the width is rounded down.

    Args:
        data: the file; a missing EOI, or a part of it, is no damage.
        shrink: the factor of shrink-on-load, at most the size of a block.
        draw: returns pixels in memory, or something else that doesn't keep the image.

    Raises:
        ImageRefused: when it is damaged or too costly.
    """
    where = layout(data)
    reader = _Reader(data, where.head(data, shrink), where)
    with count_warnings() as warnings:
        result = _read(reader, shrink, draw)
    if warnings:
        _check_warnings(data, where, shrink)
    elif reader.surplus() > MAX_STRAY_BYTES:
        raise damaged()
    return result


@contextmanager
def count_warnings() -> Iterator[list[int]]:
    """Collect the numbers of warnings of all JPEGs that are closed in this thread, while the block runs."""
    counts: list[int] = []
    thread = threading.get_ident()

    def collect(record: logging.LogRecord) -> bool:
        found = WARNINGS.search(str(record.msg))
        if found and record.thread == thread:
            counts.append(int(found[1]))
        return True

    log = logging.getLogger("pyvips")
    log.addFilter(collect)
    try:
        yield counts
    finally:
        log.removeFilter(collect)


def _check_warnings(data: Buffer, where: Layout, shrink: int) -> None:
    """Check that libjpeg's warnings are harmless: of segments that don't matter here, or of stray bytes.

    Raises:
        ImageRefused: when it is damaged.
    """
    head, left_out = where.bare_head(data, shrink), list[tuple[int, int]]()
    for _ in range(MAX_STRAY_PLACES + 1):
        reader = _TracingReader(data, head, where, left_out)
        with _ERRORS, count_warnings() as warnings:
            pyvips.vips_lib.vips_error_clear()
            _read(reader, shrink, pyvips.Image.avg)
            reader.trace()
        if not warnings and reader.surplus() <= MAX_STRAY_BYTES:
            return
        found = STRAY.search(reader.warning)
        if found is None or int(found[1]) > MAX_STRAY_BYTES:
            break
        left_out.append((reader.marker - int(found[1]), reader.marker))
    raise damaged()


_ERRORS = threading.Lock()
"""libvips has one text of errors for all threads."""


def _read(reader: "_Reader", shrink: int, draw: Callable[[pyvips.Image], T]) -> T:
    source = pyvips.SourceCustom()
    source.on_read(reader)
    try:
        image = pyvips.Image.jpegload_source(source, shrink=shrink, access="sequential", fail_on="none")
        return draw(image)
    except pyvips.Error as error:
        raise refusal(error) from error


class _Reader:
    """The bytes of a file for libvips: a head, and the data of its scans, which end with EOI in any case."""

    def __init__(self, data: Buffer, head: bytes, where: Layout) -> None:
        self._data = data
        self._head = memoryview(head)
        self._is_single_scan = where.is_single_scan
        self._at = self._searched = where.start
        self._end: int | None = None
        self._far_until = 0

    def __call__(self, size: int) -> bytes:
        """The next bytes, at most `size`. Far from the end of the scan this takes most of the time."""
        start, stop = self._at, self._at + size
        if stop <= self._far_until:
            self._at = stop
            return self._data[start:stop]
        return self.read(size)

    def read(self, size: int) -> bytes:
        """The same, wherever it is."""
        if self._head:
            piece, self._head = self._head[:size], self._head[size:]
            return bytes(piece)
        start = self._at
        self._at = min(len(self._data), start + self._size(size))
        return self._data[start : self._at] or END_MARK

    def surplus(self) -> int:
        """Bytes of the only scan that the decoder had no use for; 0 if there are several scans."""
        end = len(self._data) if self._end is None else self._end
        return max(0, end - self._at) if self._is_single_scan else 0

    def _size(self, size: int) -> int:
        """The size of the next piece: small near the end of the scan."""
        while self._end is None and self._searched < self._at + size + AHEAD:
            self._search()
        if self._end is None or self._at >= self._end:
            return size
        left = self._end - self._at
        return min(size, left - AHEAD) if left > AHEAD else min(FINE, left)

    def _search(self) -> None:
        """Search the next bytes for EOI."""
        # Searching bytes takes a tenth of the time of searching a file that is mapped into memory.
        found = self._data[self._searched : self._searched + SEARCHED + 1].find(END_MARK)
        if found >= 0:
            self._end = self._searched + found
        elif self._searched + SEARCHED >= len(self._data):
            self._end = len(self._data)
        self._searched += SEARCHED
        self._far_until = (self._end or self._searched) - AHEAD


class _TracingReader(_Reader):
    """Hands out each marker by itself, so that a warning can be attributed to one; and leaves out some bytes.

    Attributes:
        warning: the first warning, or "".
        marker: the position of the marker before which it was given.
    """

    def __init__(self, data: Buffer, head: bytes, where: Layout, left_out: list[tuple[int, int]]) -> None:
        super().__init__(data, head, where)
        self._left_out = left_out
        self._last_marker = 0
        self.warning, self.marker = "", 0

    def __call__(self, size: int) -> bytes:
        self.trace()
        self._at = next((stop for start, stop in self._left_out if start <= self._at < stop), self._at)
        return self.read(size)

    def trace(self) -> None:
        """Keep the first warning."""
        if not self.warning:
            self.warning = pyvips.ffi.string(pyvips.vips_lib.vips_error_buffer()).decode(errors="replace")
            self.marker = self._last_marker

    def _size(self, size: int) -> int:
        size, at = super()._size(size), self._at
        found = MARKER.search(self._data, at, at + size + 1)
        if found is not None and found.start() == at:
            self._last_marker = at
            return len(found[0])
        stops = [start for start, _ in self._left_out if at < start]
        stops += [found.start()] if found else []
        return min([size, *(stop - at for stop in stops)])
