"""How alike two pictures are, and how many colours they have."""

from itertools import product

from PIL import Image

WINDOW, STRIDE = 8, 4
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def ssim(one: Image.Image, other: Image.Image) -> float:
    """The mean structural similarity of the lightness, 1 for the same picture, over windows of 8 by 8.

    Wang, Bovik, Sheikh, Simoncelli: Image Quality Assessment: From Error Visibility to Structural Similarity
    (2004), with the constants given there.
    """
    a, b = one.convert("L"), other.convert("L")
    assert a.size == b.size
    corners = product(range(0, a.width - WINDOW + 1, STRIDE), range(0, a.height - WINDOW + 1, STRIDE))
    boxes = [(x, y, x + WINDOW, y + WINDOW) for x, y in corners]
    return sum(_likeness(a.crop(box).tobytes(), b.crop(box).tobytes()) for box in boxes) / len(boxes)


def _likeness(a: bytes, b: bytes) -> float:
    n = len(a)
    mean_a, mean_b = sum(a) / n, sum(b) / n
    var_a = sum(x * x for x in a) / n - mean_a * mean_a
    var_b = sum(x * x for x in b) / n - mean_b * mean_b
    both = sum(x * y for x, y in zip(a, b, strict=True)) / n - mean_a * mean_b
    return ((2 * mean_a * mean_b + C1) * (2 * both + C2)) / (
        (mean_a * mean_a + mean_b * mean_b + C1) * (var_a + var_b + C2)
    )
