"""ICC profiles (ICC.1:2022): recognises those that are equivalent to sRGB."""

import struct
from collections.abc import Callable

HEADER_BYTES, ENTRY_BYTES = 128, 12
MAX_TAGS = 100

# IEC 61966-2-1, its primaries adapted to the D50 of profiles: X, Y, Z of red, green and blue.
PRIMARIES = {
    b"rXYZ": (0.4361, 0.2225, 0.0139),
    b"gXYZ": (0.3851, 0.7169, 0.0971),
    b"bXYZ": (0.1431, 0.0606, 0.7141),
}
CURVES = (b"rTRC", b"gTRC", b"bTRC")
PRIMARY_TOLERANCE = 0.002
LEVEL_TOLERANCE = 0.75 / 255  # levels then differ by at most 1 after rounding
SAMPLES = 32

Curve = Callable[[float], float]


def is_srgb(profile: bytes) -> bool:
    """Whether converting from the profile to sRGB changes every 8-bit level by at most 1.

    Only matrix/TRC profiles (primaries and curves) are recognised, not those with tables. The profile is
    untrusted: any bytes are allowed.
    """
    try:
        tags = _tags(profile)
        return (
            profile[16:20] == b"RGB "
            and b"A2B0" not in tags
            and b"A2B1" not in tags
            and all(_is_primary(tags[name], where) for name, where in PRIMARIES.items())
            and all(_is_srgb_curve(_curve(data)) for data in {tags[name] for name in CURVES})
        )
    except (KeyError, struct.error, ArithmeticError, TypeError):  # the last: a root of a negative number
        return False


def _tags(profile: bytes) -> dict[bytes, bytes]:
    """The tagged elements of the profile by signature (7.3)."""
    (count,) = struct.unpack_from(">I", profile, HEADER_BYTES)
    starts = range(HEADER_BYTES + 4, HEADER_BYTES + 4 + ENTRY_BYTES * min(count, MAX_TAGS), ENTRY_BYTES)
    entries = (struct.unpack_from(">4sII", profile, at) for at in starts)
    return {name: profile[offset : offset + size] for name, offset, size in entries}


def _is_primary(element: bytes, expected: tuple[float, float, float]) -> bool:
    found = [number / 65536 for number in struct.unpack_from(">3i", element, 8)]
    return all(abs(a - b) <= PRIMARY_TOLERANCE for a, b in zip(found, expected, strict=True))


def _curve(element: bytes) -> Curve:
    """The curve of a `curv` (10.6) or a `para` of the kind that sRGB is (10.18); both take 0..1 to 0..1."""
    kind, number = struct.unpack_from(">4s4xH", element)
    if kind == b"para" and number == 3:  # noqa: PLR2004  # the specification numbers them
        g, a, b, c, d = (n / 65536 for n in struct.unpack_from(">5i", element, 12))
        return lambda x: (a * x + b) ** g if x >= d else c * x
    if kind != b"curv":
        raise KeyError(kind)
    (count,) = struct.unpack_from(">I", element, 8)
    if count == 1:
        (gamma,) = struct.unpack_from(">H", element, 12)
        return lambda x: float(x ** (gamma / 256))
    return _interpolated(struct.unpack_from(f">{count}H", element, 12)) if count else lambda x: x


def _interpolated(table: tuple[int, ...]) -> Curve:
    last = len(table) - 1

    def curve(x: float) -> float:
        below = min(int(x * last), last - 1)
        share = x * last - below
        return (table[below] * (1 - share) + table[below + 1] * share) / 65535

    return curve


def _is_srgb_curve(curve: Curve) -> bool:
    """Whether the inverse of sRGB's curve inverts the profile's curve, within the tolerance."""
    return all(
        abs(_srgb_level(curve(step / SAMPLES)) - step / SAMPLES) <= LEVEL_TOLERANCE
        for step in range(SAMPLES + 1)
    )


def _srgb_level(light: float) -> float:
    """The sRGB level, 0 to 1, of linear light (IEC 61966-2-1, 5.2)."""
    return 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055  # noqa: PLR2004  # the formula
