import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from tests import pictures
from tests.profiles import ADOBE_RGB, DISPLAY_P3, HEADER, SRGB, changed, curv, with_curves
from tintype.imaging.pipeline.profiles import is_srgb


def srgb_table(count: int) -> bytes:
    levels = (step / (count - 1) for step in range(count))
    light = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in levels]
    return curv(*(round(65535 * y) for y in light))


@pytest.mark.parametrize("profile", [SRGB, with_curves(srgb_table(1024)), with_curves(srgb_table(256))])
def test_srgb_is_recognised_however_its_curve_is_written(profile: bytes) -> None:
    assert is_srgb(profile)


@pytest.mark.parametrize(
    "profile",
    [
        pictures.red_green_swapped_profile(),
        DISPLAY_P3,
        ADOBE_RGB,
        with_curves(curv()),
        with_curves(curv(round(1.8 * 256))),
        with_curves(curv(round(2.2 * 256))),
        changed(SRGB, b"bTRC", curv(round(1.8 * 256))),
        SRGB.replace(b"RGB ", b"GRAY"),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(),
    ],
)
def test_what_shows_other_colours_is_not(profile: bytes) -> None:
    assert not is_srgb(profile)


def test_tables_go_before_primaries_and_are_never_taken_for_srgb() -> None:
    assert not is_srgb(SRGB.replace(b"rXYZ", b"A2B0"))
    named = bytearray(SRGB)
    at = named.index(b"cprt")
    named[at : at + 4] = b"A2B0"
    assert not is_srgb(bytes(named))


@given(
    st.binary(max_size=400)
    | st.builds(lambda a, n: SRGB[:n] + a, st.binary(max_size=60), st.integers(0, 600))
)
def test_any_bytes_may_be_asked_of(profile: bytes) -> None:
    is_srgb(profile)


@given(st.integers(HEADER, len(SRGB) - 1), st.integers(0, 255))
def test_what_is_recognised_changes_no_level_by_more_than_one(at: int, byte: int) -> None:
    profile = SRGB[:at] + bytes([byte]) + SRGB[at + 1 :]
    if not is_srgb(profile):
        return
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        ramp = Image.merge("RGB", [Image.linear_gradient("L")] * 3)
        shown = ImageCms.profileToProfile(ramp, source, ImageCms.ImageCmsProfile(io.BytesIO(SRGB)))
    except (ImageCms.PyCMSError, OSError):
        return  # unusable for another reason: it wouldn't be used either
    assert shown is not None
    pairs = zip(pictures.pixels(shown), pictures.pixels(ramp), strict=True)
    assert max(abs(a - b) for one, other in pairs for a, b in zip(one, other, strict=True)) <= 2
