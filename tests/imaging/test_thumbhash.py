"""ThumbHash against the reference.

The hashes were made once by the reference's own JavaScript, `thumbhash` 0.1.1 on npm, from the same pixels.
"""

import random
from base64 import b64encode
from collections.abc import Sequence

import pytest

from tintype.imaging import thumbhash


def noise(width: int, height: int, seed: int, alphas: Sequence[int]) -> bytes:
    dice = random.Random(seed)
    return b"".join(dice.randbytes(3) + bytes([dice.choice(alphas)]) for _ in range(width * height))


def hills(width: int, height: int, *, alpha: bool) -> bytes:
    """Nothing in it is symmetric: a coefficient that consists of rounding errors would be random."""
    return b"".join(
        bytes(
            [
                (x * x * 7 + y * 3) // (width + height) % 256,
                (y * y * 5 + x) // (height + 1) % 256,
                (3 * x + 5 * y) % 200,
                min(255, (x * 2 + y * 3 + 1) * 4) if alpha else 255,
            ]
        )
        for y in range(height)
        for x in range(width)
    )


@pytest.mark.parametrize(
    ("width", "height", "rgba", "expected"),
    [
        (100, 100, noise(100, 100, 1, (255,)), "HwgCBwD0ZMK+dTdoWjoWdaiEzMwEdQQI"),
        (100, 67, noise(100, 67, 2, (255,)), "HwgCBYC8p2DytnNCXMNGNf1kNlW/"),
        (13, 90, noise(13, 90, 3, (255,)), "H/gBCQJZj/yYhE7Cwvm3Boo="),
        (1, 1, noise(1, 1, 4, (255,)), "XGo6nxwI9wiIh4hwj3CI+AiIgIAICIgA"),
        (2, 1, noise(2, 1, 5, (255,)), "qudRLIh2CYmIiIeQaIdwePp4+A=="),
        (40, 100, noise(40, 100, 6, (0, 255)), "3/eBAgAHWUfHA2kCrAOR0HWRkGZLOLY="),
        (64, 64, noise(64, 64, 7, range(256)), "HwiCBQAHmqsrWHaIYGaPGk34gvPnYHmetQ=="),
        (90, 7, noise(90, 7, 8, (0, 128)), "oAeCAYIEmCR0RqBjxv9biQhVuReqFzY="),
        (100, 75, hills(100, 75, alpha=False), "VQcGJZJBa5dwZ3iEeLdngzCAE/O3"),
        (32, 32, hills(32, 32, alpha=False), "EOYJJw5zh4dQeHeXd4h3eIiHWIz9kn8G"),
        (9, 100, hills(9, 100, alpha=False), "j1YJIRKHcDeHeHbRiIB4+Lg="),
        (100, 75, hills(100, 75, alpha=True), "VgeGJJIPQWyAeIXICAM4MX8LMQQQEyEiBA=="),
        (24, 32, hills(24, 32, alpha=True), "kMWJFAwthQeIp3l4Z937k380dwd1R4eGBw=="),
        (5, 5, hills(5, 5, alpha=True), "g/eBBQATooewh3x4iItfFvs4c3eAiId4eA=="),
    ],
)
def test_it_is_the_hash_of_the_reference(width: int, height: int, rgba: bytes, expected: str) -> None:
    assert b64encode(thumbhash.encode(width, height, rgba)).decode() == expected


@pytest.mark.parametrize("pixel", [(0, 0, 0, 255), (128, 128, 128, 255), (250, 30, 7, 255), (9, 9, 9, 0)])
def test_one_colour_has_no_waves(pixel: tuple[int, int, int, int]) -> None:
    hashed = thumbhash.encode(10, 7, bytes(pixel) * 70)
    assert not any(hashed[6 if pixel[3] < 255 else 5 :])


def test_the_means_of_one_colour_are_those_of_the_format() -> None:
    hashed = int.from_bytes(thumbhash.encode(10, 7, bytes((255, 0, 0, 255)) * 70)[:3], "little")
    # Luminance 1/3 of 63; yellow minus blue 1/2, red minus green 1, from -1..1 to 0..63.
    assert (hashed & 63, hashed >> 6 & 63, hashed >> 12 & 63) == (21, 47, 63)


@pytest.mark.parametrize(("width", "height", "size"), [(101, 1, 404), (1, 101, 404), (0, 0, 0), (2, 2, 15)])
def test_other_sizes_are_refused(width: int, height: int, size: int) -> None:
    with pytest.raises(ValueError, match="100 pixels a side"):
        thumbhash.encode(width, height, bytes(size))
