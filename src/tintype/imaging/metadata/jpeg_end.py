"""Finds the end of the last scan of a JPEG by decoding: there the decoder neither skips bytes nor lacks bits.

A decoder reads up to EOI only if the components come in several scans. So if they don't, the frame declares
one more component, which has no scan; and grey becomes four, which libvips takes for CMYK.
"""

import re

from msgspec.structs import replace

from tintype.imaging.codecs.vips import decoding, open_image
from tintype.imaging.errors import ImageRefused, OutOfMemory, damaged
from tintype.imaging.formats import Format
from tintype.imaging.headers.jpeg import FRAMES, SCAN, Stream, read_stream
from tintype.imaging.metadata.jpeg_segments import Segment, write
from tintype.imaging.source import Buffer

SKIPPED = re.compile(r"(\d+) extraneous bytes before marker 0xd9")
"""What libjpeg says of bytes before EOI; a few more are in its buffer of bits."""
COUNT_AT, COMPONENTS_AT, COMPONENT_BYTES = 5, 6, 3
MIN_COMPONENTS, SAMPLING, TABLE = 4, 0x11, 0
SHRINK = 8
MAX_ATTEMPTS = 20


def memory(data: Buffer) -> int:
    """Bytes that decoding takes: all coefficients.

    Raises:
        ImageRefused: when it is damaged or too costly.
    """
    frame = read_stream(data, 0, len(data)).frame
    sampling = frame.sampling + ((1, 1),) * _added(len(frame.sampling))
    return Stream(replace(frame, sampling=sampling), 1, has_coefficients=True).buffer_bytes


def without_surplus(segments: list[Segment]) -> list[Segment]:
    """The segments up to the end of the last scan.

    Raises:
        ImageRefused: when it is damaged: there are bytes between its scans, or too few.
    """
    last = max((index for index, segment in enumerate(segments) if segment.marker == SCAN), default=-1)
    if last < 0:
        raise damaged()
    segments = segments[: last + 1]
    stream = read_stream(written := write(segments), 0, len(written))
    opened = segments if stream.has_coefficients else [_with_more_components(each) for each in segments]
    scan = segments[last]
    can_shrink = min(stream.frame.width, stream.frame.height) >= SHRINK
    length = _length([*opened[:last], scan], shrink=SHRINK if can_shrink else 1)
    return [*segments[:last], replace(scan, data=scan.data[:length])]


def _length(segments: list[Segment], shrink: int) -> int:
    """The length of the last scan's data: the shortest with which the decoder is content."""
    *others, scan = segments
    length, is_enough = len(scan.data), False
    for _ in range(MAX_ATTEMPTS):
        skipped = _skipped(write((*others, replace(scan, data=scan.data[:length]))), shrink)
        if skipped is None and is_enough:
            return length + 1
        if skipped is None:
            raise damaged()
        is_enough = not skipped
        length -= skipped or 1
    raise damaged()


def _skipped(data: bytes, shrink: int) -> int | None:
    """How many bytes the decoder skips before EOI; None if it finds another fault, or lacks bits."""
    try:
        with decoding():
            open_image(data, Format.JPEG, fail_on="warning", shrink=shrink).avg()
    except OutOfMemory:
        raise
    except ImageRefused as refused:
        found = SKIPPED.search(str(refused.__cause__))
        return int(found[1]) if found else None
    return 0


def _with_more_components(segment: Segment) -> Segment:
    if segment.marker not in FRAMES:
        return segment
    content = segment.content
    count, components = content[COUNT_AT], content[COMPONENTS_AT:]
    unused = [name for name in range(256) if name not in components[::COMPONENT_BYTES]][: _added(count)]
    more = b"".join(bytes((name, SAMPLING, TABLE)) for name in unused)
    return replace(segment, content=content[:COUNT_AT] + bytes((count + len(unused),)) + components + more)


def _added(components: int) -> int:
    return max(MIN_COMPONENTS - components, 1)
