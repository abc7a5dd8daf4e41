import pytest
from PIL import Image, ImageChops, ImageStat

from tests.imaging.golden_cases import CASES, FOLDER, Case, drawn


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_pixels_are_those_that_are_kept(case: Case) -> None:
    """Which pixels are right the others say, by arithmetic and by Pillow; this one, that none changed."""
    assert case.path.is_file(), "The reference is missing: python -m tests.imaging.write_golden makes it."
    kept, ours = Image.open(case.path).convert("RGBA"), drawn(case)
    assert ours.size == kept.size
    # What is transparent has no colour to compare.
    clear = Image.new("RGBA", kept.size)
    pair = [Image.composite(image, clear, image.getchannel("A").point(bool, "1")) for image in (kept, ours)]
    off = ImageStat.Stat(ImageChops.difference(*pair))
    most, mean = case.tolerance
    assert max(high for _, high in off.extrema) <= most
    assert max(off.mean) <= mean


def test_there_is_no_reference_without_a_case_and_all_are_small() -> None:
    kept = set(FOLDER.glob("*"))
    assert kept == {case.path for case in CASES}
    assert sum(path.stat().st_size for path in kept) < 300_000
