"""ThumbHash: some 25 bytes from which a page can draw a blurred preview, with aspect ratio and alpha.

The format is Evan Wallace's (https://github.com/evanw/thumbhash): luminance, two colour differences and
alpha, each as the lowest coefficients of a discrete cosine transform, with 4 bits per coefficient.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from operator import mul

MAX_SIDE = 100
LUMINANCE_TERMS, WITH_ALPHA = 7, 5
COLOUR_TERMS, ALPHA_TERMS = 3, 5
FLAT = 1e-9  # smaller coefficients are rounding errors, which scaling would amplify to noise

Plane = list[list[float]]
Channel = tuple[float, list[float], float]  # the mean; the other coefficients, scaled to 0 to 1; their scale


def encode(width: int, height: int, rgba: bytes) -> bytes:
    """The hash of an image: at most 100 pixels per side, RGBA with 8 bits per band, not premultiplied.

    Raises:
        ValueError: when the size is wrong.
    """
    if not 0 < max(width, height) <= MAX_SIDE or len(rgba) != width * height * 4:
        raise ValueError(f"A hash is made of 1 to {MAX_SIDE} pixels a side, four bytes each.")
    opaque = rgba[3::4] == b"\xff" * (width * height)
    terms = LUMINANCE_TERMS if opaque else WITH_ALPHA
    terms_x, terms_y = (max(1, _rounded(terms * side / max(width, height))) for side in (width, height))
    luminance, yellow_blue, red_green, alpha = _planes(width, rgba)
    light = _channel(luminance, max(3, terms_x), max(3, terms_y))
    yellow = _channel(yellow_blue, COLOUR_TERMS, COLOUR_TERMS)
    red = _channel(red_green, COLOUR_TERMS, COLOUR_TERMS)
    clear = None if opaque else _channel(alpha, ALPHA_TERMS, ALPHA_TERMS)
    side = terms_y if width > height else terms_x
    return bytes(_packed(light, yellow, red, clear, side=side, landscape=width > height))


def _planes(width: int, rgba: bytes) -> tuple[Plane, Plane, Plane, Plane]:
    """Luminance, yellow minus blue, red minus green and alpha, by row, composited on the average colour."""
    alphas = [value / 255 for value in rgba[3::4]]
    total = _total(alphas)
    bands = []
    for band in range(3):
        premultiplied = [value * alpha / 255 for value, alpha in zip(rgba[band::4], alphas, strict=True)]
        mean = _total(premultiplied) / total if total else 0.0
        bands.append([value + mean * (1 - alpha) for value, alpha in zip(premultiplied, alphas, strict=True)])
    pixels = list(zip(*bands, strict=True))
    return (
        _rows(width, [(red + green + blue) / 3 for red, green, blue in pixels]),
        _rows(width, [(red + green) / 2 - blue for red, green, blue in pixels]),
        _rows(width, [red - green for red, green, _ in pixels]),
        _rows(width, alphas),
    )


def _rows(width: int, values: list[float]) -> Plane:
    return [values[at : at + width] for at in range(0, len(values), width)]


def _channel(rows: Plane, terms_x: int, terms_y: int) -> Channel:
    """The low-frequency coefficients of a plane: those above the diagonal from `terms_x` to `terms_y`.

    The transform is separable: first along the rows, then along the columns. That takes about `terms_x`
    multiplications per pixel instead of one for every coefficient.
    """
    width, height = len(rows[0]), len(rows)
    waves = [_wave(width, x) for x in range(terms_x)]
    columns = [[_total(map(mul, row, wave)) for row in rows] for wave in waves]
    found = []
    for y in range(terms_y):
        wave = _wave(height, y)
        found += [
            _total(map(mul, columns[x], wave)) / (width * height)
            for x in range(terms_x)
            if x * terms_y < terms_x * (terms_y - y)
        ]
    mean, *others = found
    scale = max(map(abs, others))
    if scale < FLAT:
        return mean, [0.0] * len(others), 0.0
    return mean, [0.5 + 0.5 / scale * other for other in others], scale


def _total(values: Iterable[float]) -> float:
    """The sum by plain addition, as in the reference implementation.

    From Python 3.12 on `sum` compensates rounding errors: a half might be rounded the other way, and the hash
    would differ between versions of Python.
    """
    (last,) = deque(accumulate(values), maxlen=1)
    return last


def _wave(length: int, frequency: int) -> list[float]:
    return [math.cos(math.pi / length * frequency * (at + 0.5)) for at in range(length)]


def _packed(
    light: Channel, yellow: Channel, red: Channel, clear: Channel | None, *, side: int, landscape: bool
) -> Iterator[int]:
    """The bytes: two little-endian words of constants, the constants of alpha, then the coefficients."""
    first = (
        _rounded(63 * light[0])
        | _rounded(31.5 + 31.5 * yellow[0]) << 6
        | _rounded(31.5 + 31.5 * red[0]) << 12
        | _rounded(31 * light[2]) << 18
        | (clear is not None) << 23
    )
    second = side | _rounded(63 * yellow[2]) << 3 | _rounded(63 * red[2]) << 9 | landscape << 15
    yield from first.to_bytes(3, "little")
    yield from second.to_bytes(2, "little")
    channels = [light, yellow, red]
    if clear is not None:
        yield _rounded(15 * clear[0]) | _rounded(15 * clear[2]) << 4
        channels.append(clear)
    yield from _pairs([_rounded(15 * value) for channel in channels for value in channel[1]])


def _pairs(nibbles: Sequence[int]) -> Iterator[int]:
    """Pack two nibbles per byte, the first in the lower half."""
    for at in range(0, len(nibbles), 2):
        low, *high = nibbles[at : at + 2]
        yield low | (high[0] << 4 if high else 0)


def _rounded(value: float) -> int:
    """Round halves up, as the JavaScript reference does; Python's `round` rounds them to even."""
    return math.floor(value + 0.5)
