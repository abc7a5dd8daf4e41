"""Boxes of ISO base media files (ISO/IEC 14496-12): writing them, and those that a file has once."""

import struct

from tintype.imaging.errors import damaged
from tintype.imaging.headers.boxes import Box, whole_boxes


def unique(data: bytes, at: int, end: int) -> dict[bytes, Box]:
    """The boxes in a range by type.

    Raises:
        ImageRefused: when it is damaged; also if a type occurs twice: decoders differ in which one they take.
    """
    found = list(whole_boxes(data, at, end))
    by_kind = {each.kind: each for each in found}
    if len(by_kind) != len(found):
        raise damaged()
    return by_kind


def box(kind: bytes, content: bytes) -> bytes:
    """A box."""
    return struct.pack(">I4s", 8 + len(content), kind) + content


def full_box(kind: bytes, content: bytes, version: int = 0, flags: int = 0) -> bytes:
    """A box with a version and flags (4.2.2)."""
    return box(kind, bytes((version,)) + flags.to_bytes(3) + content)
