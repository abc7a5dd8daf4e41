"""Colour spaces that a file says in numbers, not by an ICC profile: PNG's chunks, `nclx` of AVIF and HEIC.

Arithmetic only; the numbers are those of ITU-T H.273.
"""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

from msgspec import Struct

Primaries = tuple[float, float, float, float, float, float, float, float]
"""CIE 1931 x and y of red, green, blue and white."""
Matrix = tuple[tuple[float, float, float], ...]

D65 = (0.3127, 0.3290)
SRGB_PRIMARIES: Primaries = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, *D65)
P3 = (0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
NTSC = (0.630, 0.340, 0.310, 0.595, 0.155, 0.070)
PRIMARIES: Mapping[int, Primaries] = MappingProxyType(
    {
        4: (0.67, 0.33, 0.21, 0.71, 0.14, 0.08, 0.310, 0.316),
        5: (0.64, 0.33, 0.29, 0.60, 0.15, 0.06, *D65),
        6: (*NTSC, *D65),
        7: (*NTSC, *D65),
        8: (0.681, 0.319, 0.243, 0.692, 0.145, 0.049, 0.310, 0.316),
        9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *D65),
        11: (*P3, 0.314, 0.351),
        12: (*P3, *D65),
        22: (0.630, 0.340, 0.295, 0.605, 0.155, 0.077, *D65),
    }
)
"""By code (H.273, table 2); all others count as those of sRGB: 1, unspecified, and unknown ones."""

SRGB, PQ, HLG = 13, 16, 18
GAMMAS: Mapping[int, float] = MappingProxyType({4: 2.2, 5: 2.8, 8: 1.0})
"""Codes of transfer characteristics that are a power (H.273, table 3).

Those that aren't here, nor PQ nor HLG, are shown by the curve of sRGB; among them is BT.709's, which is a
camera's and not a display's.
"""

REFERENCE_WHITE = 203.0
"""cd/m2 of SDR white in PQ and HLG (BT.2408, 2.1)."""
PEAK = 1000.0 / REFERENCE_WHITE
"""The brightest light that is kept apart, relative to SDR white: of a display of 1000 cd/m2."""
BT2020_LUMINANCE = (0.2627, 0.6780, 0.0593)
HLG_GAMMA = 1.2
"""Of a display of 1000 cd/m2 (BT.2100, table 5)."""


class ColourSignal(Struct, frozen=True):
    """Primaries, and the curve from levels to light.

    Attributes:
        primaries: of red, green, blue and white.
        transfer: the code of its curve; it is ignored if there is a gamma.
        gamma: the exponent from levels to light; 0: none.
        is_limited: whether 8-bit levels range from 16 to 235, and deeper ones accordingly.
    """

    primaries: Primaries = SRGB_PRIMARIES
    transfer: int = SRGB
    gamma: float = 0.0
    is_limited: bool = False

    @property
    def is_srgb(self) -> bool:
        """Whether levels are those of sRGB."""
        return self == ColourSignal()

    @property
    def is_hdr(self) -> bool:
        """Whether there may be light brighter than SDR white."""
        return not self.gamma and self.transfer in {PQ, HLG}


def from_codes(primaries: int, transfer: int, *, is_limited: bool = False) -> ColourSignal:
    """The signal of H.273's codes; unknown ones count as sRGB."""
    return ColourSignal(
        PRIMARIES.get(primaries, SRGB_PRIMARIES),
        transfer if transfer in {PQ, HLG} else SRGB,
        GAMMAS.get(transfer, 0.0),
        is_limited,
    )


def light_of(signal: ColourSignal) -> Callable[[float], float]:
    """The function from a level, 0 to 1, to light relative to SDR white; of HLG to that of the scene."""
    if signal.gamma:
        return lambda level: math.pow(level, signal.gamma)
    return {PQ: _pq, HLG: _hlg}.get(signal.transfer, _srgb)


def matrix_to_srgb(primaries: Primaries) -> Matrix:
    """The matrix from linear light of these primaries to that of sRGB; whites are adapted as by Bradford.

    Raises:
        ArithmeticError: when the primaries span no space.
    """
    adapted = _product(_adaptation(primaries[6:8], SRGB_PRIMARIES[6:8]), _to_xyz(primaries))
    return _product(_inverse(_to_xyz(SRGB_PRIMARIES)), adapted)


def _srgb(level: float) -> float:
    """IEC 61966-2-1."""
    low = 0.04045
    return level / 12.92 if level <= low else math.pow((level + 0.055) / 1.055, 2.4)


def _pq(level: float) -> float:
    """BT.2100, table 4."""
    power = level ** (32 / 2523)
    ratio = max(0.0, power - 107 / 128) / (2413 / 128 - 2392 / 128 * power)
    return 10_000 * math.pow(ratio, 8192 / 1305) / REFERENCE_WHITE


def _hlg(level: float) -> float:
    """BT.2100, table 5: the inverse of the camera's curve, 0 to 1."""
    if level <= 0.5:  # noqa: PLR2004  the formula
        return level * level / 3
    return (math.exp((level - 0.55991073) / 0.17883277) + 0.28466892) / 12


BRADFORD: Matrix = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))
"""ICC.1:2022, annex E."""


def _adaptation(source: tuple[float, ...], target: tuple[float, ...]) -> Matrix:
    cones = [_applied(BRADFORD, _xyz(*white)) for white in (source, target)]
    ratios = [to / of for of, to in zip(*cones, strict=True)]
    scaled = tuple(tuple(ratio * each for each in row) for ratio, row in zip(ratios, BRADFORD, strict=True))
    return _product(_inverse(BRADFORD), scaled)


def _to_xyz(primaries: Primaries) -> Matrix:
    """From linear light to CIE XYZ (SMPTE RP 177): the primaries, scaled so that together they are white."""
    columns = [_xyz(*primaries[at : at + 2]) for at in (0, 2, 4)]
    rows = tuple(zip(*columns, strict=True))
    scales = _applied(_inverse(rows), _xyz(*primaries[6:8]))
    return tuple((row[0] * scales[0], row[1] * scales[1], row[2] * scales[2]) for row in rows)


def _xyz(x: float, y: float) -> tuple[float, float, float]:
    return x / y, 1.0, (1 - x - y) / y


def _applied(matrix: Matrix, vector: tuple[float, float, float]) -> tuple[float, float, float]:
    first, second, third = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return first, second, third


def _product(one: Matrix, other: Matrix) -> Matrix:
    columns = tuple(zip(*other, strict=True))
    return tuple(_applied(columns, row) for row in one)


def _inverse(matrix: Matrix) -> Matrix:
    """By cofactors."""
    (a, b, c), (d, e, f), (g, h, i) = matrix
    determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    cofactors = (
        (e * i - f * h, c * h - b * i, b * f - c * e),
        (f * g - d * i, a * i - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
    return tuple((x / determinant, y / determinant, z / determinant) for x, y, z in cofactors)
