import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.imaging.pipeline.pixel_window import MAX_EXTRA_PIXELS, PixelWindow, pixel_window

SIDES = st.integers(16, 20_000)


@given(SIDES, st.integers(1, 2000), st.sampled_from([1, 2, 4, 8]), st.floats(0, 1), st.floats(0.01, 1))
def test_every_wanted_pixel_comes_from_its_own_place(
    source: int, wanted: int, shrink: int, begin: float, share: float
) -> None:
    start = int(begin * source / 2) / shrink
    end = start + max(wanted, int(share * source / 2)) / shrink
    made = pixel_window(start, end, wanted)
    assert made.size == wanted
    assert 0 <= made.skip < MAX_EXTRA_PIXELS
    assert made.scaled - made.skip - wanted in range(MAX_EXTRA_PIXELS)
    step = made.count / made.scaled  # libvips takes `count` pixels to `scaled`, evenly
    for pixel in (0, wanted):
        position = made.first + (made.skip + pixel) * step
        ideal = start + pixel * (end - start) / wanted
        assert abs(position - ideal) <= 0.5


@pytest.mark.parametrize(
    ("start", "end", "wanted", "expected"),
    [
        (0, 600, 300, PixelWindow(0, 600, 300, 0, 300)),
        # 2725 pixels at a half are 1362.5: of the next steps of 2.66 the 13th comes nearest, to 1397.09.
        (0, 1362.5, 512, PixelWindow(0, 1397, 525, 0, 512)),
        # From 10.5 to 40.5 in steps of 1.5: one step back is 9, one step on is 42.
        (10.5, 40.5, 20, PixelWindow(9, 33, 22, 1, 20)),
        (0, 0.6, 1, PixelWindow(0, 3, 5, 0, 1)),
    ],
)
def test_worked_examples(start: float, end: float, wanted: int, expected: PixelWindow) -> None:
    assert pixel_window(start, end, wanted) == expected
