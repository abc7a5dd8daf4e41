"""Colour profiles made from Pillow's sRGB by exchanging its elements."""

import struct

from PIL import ImageCms

HEADER = 128
CURVES = (b"rTRC", b"gTRC", b"bTRC")
PRIMARIES = (b"rXYZ", b"gXYZ", b"bXYZ")

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def changed(profile: bytes, name: bytes, element: bytes) -> bytes:
    """The profile with one element exchanged for another, behind all others."""
    table = bytearray(profile)
    for at in range(HEADER + 4, HEADER + 4 + 12 * struct.unpack_from(">I", profile, HEADER)[0], 12):
        if profile[at : at + 4] == name:
            struct.pack_into(">II", table, at + 4, len(profile), len(element))
    element += bytes(-len(element) % 4)  # ICC.1, 7.3.1: they begin at multiples of four
    struct.pack_into(">I", table, 0, len(profile) + len(element))
    return bytes(table) + element


def with_curves(element: bytes, profile: bytes = SRGB) -> bytes:
    for name in CURVES:
        profile = changed(profile, name, element)
    return profile


def with_primaries(*primaries: tuple[float, float, float]) -> bytes:
    """sRGB with red, green and blue somewhere else: X, Y, Z under D50."""
    profile = SRGB
    for name, primary in zip(PRIMARIES, primaries, strict=True):
        numbers = (round(number * 65536) for number in primary)
        profile = changed(profile, name, struct.pack(">4s4x3i", b"XYZ ", *numbers))
    return profile


def curv(*numbers: int) -> bytes:
    """A curve: none is straight, one is a power times 256, more are a table to 65535."""
    return struct.pack(f">4s4xI{len(numbers)}H", b"curv", len(numbers), *numbers)


DISPLAY_P3 = with_primaries(
    (0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)
)
ADOBE_RGB = with_curves(
    curv(563),  # 2.19921875
    with_primaries((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)),
)
