"""Randomly corrupted files, with a fixed seed: they are at most refused, in bounded time."""

import random
import time
from collections.abc import Callable

import pytest

from tests import pictures
from tintype.imaging import ImageRefused, Limits, Recipe, inspect, render, verify

SOURCES: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: pictures.jpeg(120, 90),
    "jpeg progressive": lambda: pictures.jpeg(120, 90, progressive=True),
    "png": lambda: pictures.png(120, 90, alpha=True),
    "apng": lambda: pictures.apng(3),
    "webp": lambda: pictures.webp(120, 90, alpha=True),
    "webp animated": lambda: pictures.webp(frames=3),
    "gif": lambda: pictures.gif(120, 90),
    "gif animated": lambda: pictures.gif(frames=3),
    "avif": lambda: pictures.avif(120, 90),
    "tiff": lambda: pictures.tiff(120, 90),
    "tiff lzw": lambda: pictures.tiff(120, 90, compression="tiff_lzw"),
}
TIMES = 150
LIMITS = Limits(max_pixels=4_000_000, max_total_pixels=16_000_000)
EDGES = (0, 1, 0x7F, 0x80, 0xFF)


def damaged(data: bytes, dice: random.Random) -> bytes:
    """Change bytes, mostly near the beginning, where sizes and offsets are; or remove or repeat a part."""
    changed = bytearray(data)
    for _ in range(dice.choice((1, 2, 5, 30))):
        end = len(changed) if dice.random() < 0.4 else min(len(changed), 120)
        changed[dice.randrange(end)] = dice.choice(EDGES) if dice.random() < 0.5 else dice.randrange(256)
    start, length = dice.randrange(len(changed)), dice.randrange(1, 40)
    match dice.randrange(6):
        case 0:
            del changed[start : start + length]
        case 1:
            changed[start:start] = changed[start : start + length]
    return bytes(changed)


@pytest.mark.parametrize("name", SOURCES)
def test_nothing_but_a_refusal_comes_of_damage(name: str) -> None:
    dice, data = random.Random(name), SOURCES[name]()
    began = time.process_time()
    taken_in = 0
    for _ in range(TIMES):
        hostile = damaged(data, dice)
        try:
            verify(hostile, inspect(hostile, LIMITS))
        except ImageRefused as refused:
            assert str(refused)  # noqa: PT017  a refusal or none, both are right
            continue
        taken_in += 1
        # What was taken in can be drawn.
        render(hostile, Recipe(width=40, height=30), source_limits=LIMITS)
    assert taken_in < TIMES
    assert time.process_time() - began < 120
