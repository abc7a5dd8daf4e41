"""Properties of items in AVIF and HEIC (23008-12, 6.5): what affects rendering is kept, and written anew."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from tintype.imaging.errors import damaged
from tintype.imaging.metadata import icc
from tintype.imaging.metadata.heif_codecs import av1_header, hevc_header

VERSION = 4
"""Bytes of version and flags."""
COLOUR_VALUES, KIND = 11, 4
PROFILES = (b"prof", b"rICC")
AV1, HEVC, AUXILIARY = b"av1C", b"hvcC", b"auxC"
ONCE = frozenset((b"ispe", b"pixi", AV1, HEVC, AUXILIARY))
"""Those that an item has once."""
ALPHA = (
    b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha",
    b"urn:mpeg:hevc:2015:auxid:1",
    b"urn:mpeg:avc:2015:auxid:1",
)


def clean(kind: bytes, content: bytes) -> bytes | None:
    """A property as it is written, without type and size; None if it is not kept.

    Raises:
        ImageRefused: when it is damaged.
    """
    writer = WRITERS.get(kind)
    return None if writer is None else writer(content)


def _fixed(length: int) -> Callable[[bytes], bytes]:
    """A property of so many bytes."""

    def cut(content: bytes) -> bytes:
        if len(content) < length:
            raise damaged()
        return content[:length]

    return cut


def _channels(content: bytes) -> bytes:
    """Bits of each channel (`pixi`)."""
    return bytes(VERSION) + _fixed(1 + content[VERSION])(content[VERSION:])


def _size(content: bytes) -> bytes:
    return bytes(VERSION) + _fixed(8)(content[VERSION:])


def _colour(content: bytes) -> bytes | None:
    if content[:KIND] in PROFILES:
        profile = icc.trim(content[KIND:])
        return content[:KIND] + profile if profile else None
    return _fixed(COLOUR_VALUES)(content) if content[:KIND] == b"nclx" else None


def _auxiliary(content: bytes) -> bytes | None:
    """Alpha, without more about it."""
    name, end, _ = content[VERSION:].partition(b"\0")
    if not end and name.startswith(ALPHA):
        # Decoders differ in whether it is alpha.
        raise damaged()
    return bytes(VERSION) + name + end if name in ALPHA else None


WRITERS: Mapping[bytes, Callable[[bytes], bytes | None]] = MappingProxyType(
    {
        b"ispe": _size,
        b"pixi": _channels,
        b"colr": _colour,
        b"pasp": _fixed(8),
        b"clap": _fixed(32),
        b"irot": _fixed(1),
        b"imir": _fixed(1),
        b"clli": _fixed(4),
        b"mdcv": _fixed(24),
        b"amve": _fixed(8),
        b"a1op": _fixed(1),
        b"lsel": _fixed(2),
        AV1: av1_header,
        HEVC: hevc_header,
        AUXILIARY: _auxiliary,
    }
)
