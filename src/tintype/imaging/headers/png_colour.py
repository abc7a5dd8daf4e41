"""What the chunks of a PNG say about its colours, except by an ICC profile (third edition, 4.3)."""

import struct
from collections.abc import Iterator

from tintype.imaging.colour_signal import (
    SRGB_PRIMARIES,
    ColourSignal,
    Primaries,
    from_codes,
    matrix_to_srgb,
)
from tintype.imaging.source import Buffer

CHUNKS = frozenset((b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"))
NEXT = frozenset((b"PLTE", b"IDAT"))
"""The chunks that those have to precede (5.6)."""
CICP = struct.Struct("4B")
CHROMATICITIES = struct.Struct(">8I")
"""White, red, green, blue; times `UNIT`."""
UNIT = 100_000
SRGB_GAMMA = 1 / 2.2
TOLERANCE = 0.001


def signal(data: Buffer, chunks: Iterator[tuple[bytes, int, int]]) -> ColourSignal | None:
    """The colour space; None: sRGB, or that of its ICC profile.

    The first of `cICP`, `iCCP`, `sRGB`, and `gAMA` with `cHRM`, decides.

    Args:
        data: the file.
        chunks: type, start and length of the data of each chunk.
    """
    found: dict[bytes, bytes] = {}
    for kind, start, length in chunks:
        if kind in NEXT:
            break
        if kind in CHUNKS:
            found.setdefault(kind, data[start : start + min(length, CHROMATICITIES.size)])
    if len(found.get(b"cICP", b"")) == CICP.size:
        return _coding_independent(found)
    if found.keys() & {b"iCCP", b"sRGB"}:
        return None
    return _gamma_and_primaries(found)


def _coding_independent(found: dict[bytes, bytes]) -> ColourSignal | None:
    primaries, transfer, _, is_full = CICP.unpack(found[b"cICP"])
    stated = from_codes(primaries, transfer, is_limited=not is_full)
    # Even sRGB has to be said where a profile says otherwise.
    return None if stated.is_srgb and b"iCCP" not in found else stated


def _gamma_and_primaries(found: dict[bytes, bytes]) -> ColourSignal | None:
    primaries = _primaries(found.get(b"cHRM", b""))
    encoding = int.from_bytes(found.get(b"gAMA", b"")) / UNIT
    has_srgb_primaries = all(abs(a - b) <= TOLERANCE for a, b in zip(primaries, SRGB_PRIMARIES, strict=True))
    # 11.3.2.5: 1/2.2 stands for sRGB's curve, which is none of a single exponent.
    is_usual = not encoding or (has_srgb_primaries and abs(encoding - SRGB_GAMMA) <= TOLERANCE)
    if has_srgb_primaries:
        return None if is_usual else ColourSignal(gamma=1 / encoding)
    return ColourSignal(primaries, gamma=0.0 if is_usual else 1 / encoding)


def _primaries(chunk: bytes) -> Primaries:
    """Those of the chunk, or of sRGB if there is none, or it is no space."""
    if len(chunk) != CHROMATICITIES.size:
        return SRGB_PRIMARIES
    white_x, white_y, *others = (number / UNIT for number in CHROMATICITIES.unpack(chunk))
    red_x, red_y, green_x, green_y, blue_x, blue_y = others
    primaries = (red_x, red_y, green_x, green_y, blue_x, blue_y, white_x, white_y)
    try:
        matrix_to_srgb(primaries)
    except ArithmeticError:
        return SRGB_PRIMARIES
    return primaries
