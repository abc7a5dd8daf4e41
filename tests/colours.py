"""Colours as a person tells them apart: a chart of 24 patches, and CIEDE2000."""

from math import atan2, cos, degrees, exp, hypot, radians, sin, sqrt

from PIL import Image, ImageDraw

RGB = tuple[int, int, int]

PATCH = 48  # pixels a side
COLUMNS = 6
# A colour checker's 24 patches in sRGB, as published by its maker.
PATCHES: tuple[RGB, ...] = (
    (115, 82, 68),
    (194, 150, 130),
    (98, 122, 157),
    (87, 108, 67),
    (133, 128, 177),
    (103, 189, 170),
    (214, 126, 44),
    (80, 91, 166),
    (193, 90, 99),
    (94, 60, 108),
    (157, 188, 64),
    (224, 163, 46),
    (56, 61, 150),
    (70, 148, 73),
    (175, 54, 60),
    (231, 199, 31),
    (187, 86, 149),
    (8, 133, 161),
    (243, 243, 242),
    (200, 200, 200),
    (160, 160, 160),
    (122, 122, 121),
    (85, 85, 85),
    (52, 52, 52),
)


def chart() -> Image.Image:
    """The patches in six columns and four rows (RGB)."""
    image = Image.new("RGB", (PATCH * COLUMNS, PATCH * len(PATCHES) // COLUMNS))
    for i, colour in enumerate(PATCHES):
        x, y = i % COLUMNS * PATCH, i // COLUMNS * PATCH
        ImageDraw.Draw(image).rectangle((x, y, x + PATCH - 1, y + PATCH - 1), fill=colour)
    return image


def shown(image: Image.Image) -> list[RGB]:
    """What is in the middle of each patch of a chart, at whatever size it is."""
    rgb = image.convert("RGB")
    side = rgb.width / COLUMNS
    return [
        rgb.getpixel((int((i % COLUMNS + 0.5) * side), int((i // COLUMNS + 0.5) * side)))  # type: ignore[misc]  # RGB has three
        for i in range(len(PATCHES))
    ]


def difference(one: RGB, other: RGB) -> float:
    """CIEDE2000 of two sRGB colours; 1 is about what a person just sees.

    As in Sharma, Wu, Dalal: The CIEDE2000 Color-Difference Formula, 2005.
    """
    return ciede2000(lab(one), lab(other))


def lab(colour: RGB) -> tuple[float, float, float]:
    """CIE L*a*b* (D65) of an sRGB colour."""
    r, g, b = (_light(level / 255) for level in colour)
    x = (0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047
    y = 0.2126729 * r + 0.7151522 * g + 0.0721750 * b
    z = (0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883
    fx, fy, fz = (t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116 for t in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def ciede2000(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean_c7 = ((hypot(a1, b1) + hypot(a2, b2)) / 2) ** 7
    g = 0.5 * (1 - sqrt(mean_c7 / (mean_c7 + 25**7)))
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = hypot(a1, b1), hypot(a2, b2)
    h1, h2 = degrees(atan2(b1, a1)) % 360, degrees(atan2(b2, a2)) % 360
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    h = (h1 + turn / 2) % 360 if c1 * c2 else h1 + h2
    dl, dc, dh = l2 - l1, c2 - c1, 2 * sqrt(c1 * c2) * sin(radians(turn / 2))
    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    t = (
        1
        - 0.17 * cos(radians(h - 30))
        + 0.24 * cos(radians(2 * h))
        + 0.32 * cos(radians(3 * h + 6))
        - 0.20 * cos(radians(4 * h - 63))
    )
    sl = 1 + 0.015 * (mean_l - 50) ** 2 / sqrt(20 + (mean_l - 50) ** 2)
    sc, sh = 1 + 0.045 * mean_c, 1 + 0.015 * mean_c * t
    rotation = -2 * sqrt(mean_c**7 / (mean_c**7 + 25**7)) * sin(radians(60 * exp(-(((h - 275) / 25) ** 2))))
    return sqrt((dl / sl) ** 2 + (dc / sc) ** 2 + (dh / sh) ** 2 + rotation * dc / sc * dh / sh)


def _light(level: float) -> float:
    return float(level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4)
