"""By default an image that is within the limits on pixels fits into the memory of the renderers."""

import math
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from tintype.core.runtime import renderers
from tintype.core.runtime.fair_queue import FairQueue
from tintype.core.runtime.renderers import renderer_share
from tintype.core.runtime.settings import RendererSettings
from tintype.core.services import ImageSettings
from tintype.imaging import Format, ImageInfo, ImageRefused, Limits
from tintype.imaging.image_info import check_limits
from tintype.imaging.pipeline.cost import intake_memory

LIMITS = ImageSettings().input_limits()
MEGA = 1_000_000


def info(format: Format, pixels: int, ratio: float, *, bands: int = 3, bits: int = 8) -> ImageInfo:
    """An image of about so many pixels, as read from a header; nothing of it is held whole."""
    width = min(LIMITS.max_side, round(math.sqrt(pixels * ratio)))
    return ImageInfo(
        format=format,
        width=width,
        height=pixels // width,
        frames=1,
        has_alpha=bands in {2, 4},
        orientation=1,
        bands=bands,
        bits=bits,
    )


def whole(
    format: Format, pixels: int, ratio: float, *, bands: int = 3, bits: int = 8, buffer: float = 0
) -> ImageInfo:
    """The same held whole, with so many bytes a pixel that its header announces; half a byte in the file."""
    flat = info(format, pixels, ratio, bands=bands, bits=bits)
    held = flat.width * flat.height
    file_bytes = 0 if format in {Format.JPEG, Format.PNG, Format.SVG} else held // 2
    return replace(flat, whole_pixels=held, buffer_bytes=round(held * buffer), file_bytes=file_bytes)


KINDS: dict[str, tuple[Callable[..., ImageInfo], Format, dict[str, float]]] = {
    "jpeg": (info, Format.JPEG, {}),
    "jpeg cmyk": (info, Format.JPEG, {"bands": 4}),
    "jpeg progressive": (whole, Format.JPEG, {"buffer": 3}),
    "jpeg progressive 4:4:4": (whole, Format.JPEG, {"buffer": 6}),
    "jpeg progressive cmyk": (whole, Format.JPEG, {"buffer": 8, "bands": 4}),
    "png": (info, Format.PNG, {"bands": 4}),
    "png deep": (info, Format.PNG, {"bands": 4, "bits": 16}),
    "png interlaced": (whole, Format.PNG, {"bands": 4, "buffer": 4}),
    "png interlaced deep": (whole, Format.PNG, {"bands": 4, "bits": 16, "buffer": 8}),
    "tiff deep": (info, Format.TIFF, {"bands": 4, "bits": 16}),
    "tiff strip": (whole, Format.TIFF, {"buffer": 7.5}),
    "tiff strip deep": (whole, Format.TIFF, {"bands": 4, "bits": 16, "buffer": 20}),
    "webp": (whole, Format.WEBP, {}),
    "webp alpha": (whole, Format.WEBP, {"bands": 4, "buffer": 1}),
    "webp lossless": (whole, Format.WEBP, {"bands": 4, "buffer": 4}),
    "gif": (whole, Format.GIF, {"bands": 4}),
    "avif": (whole, Format.AVIF, {}),
    "avif alpha": (whole, Format.AVIF, {"bands": 4}),
    "avif deep": (whole, Format.AVIF, {"bits": 16}),
    "avif deep alpha": (whole, Format.AVIF, {"bands": 4, "bits": 16}),
    "heic": (whole, Format.HEIC, {}),
    "heic alpha": (whole, Format.HEIC, {"bands": 4}),
    "jxl": (whole, Format.JXL, {}),
    "jxl alpha": (whole, Format.JXL, {"bands": 4}),
    "svg": (whole, Format.SVG, {"bands": 4}),
}
LEAST = {
    "jpeg": 100,
    "jpeg progressive 4:4:4": 50,
    "png deep": 100,
    "webp": 30,
    "webp lossless": 22,
    "avif": 24,
    "avif deep": 17,
    "heic": 45,
    "jxl": 40,
}
"""Megapixels that must be accepted at least: those of cameras, and of their converters."""


def largest(kind: str, ratio: float) -> ImageInfo:
    """The largest image of a kind that the limits on pixels accept."""
    make, format_, more = KINDS[kind]
    low, high = MEGA, LIMITS.max_pixels + MEGA
    while high - low > MEGA / 20:
        middle = (low + high) // 2
        if _is_accepted(make(format_, middle, ratio, **more), LIMITS):
            low = middle
        else:
            high = middle
    return make(format_, low, ratio, **more)


def _is_accepted(image: ImageInfo, limits: Limits) -> bool:
    try:
        check_limits(image, limits)
    except ImageRefused:
        return False
    return True


@pytest.fixture(params=[1, 2, 3, 4, 8, 64])
def memory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """The memory for one image on a machine of so many cores."""
    monkeypatch.setattr(renderers, "_cores", lambda: request.param)
    share = renderer_share(RendererSettings(), 1)
    return FairQueue[object](share.count, 64, share.memory).max_memory


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ratio", [0.75, 1.0, 1.5, 16 / 9])
def test_what_the_limits_accept_fits_into_the_memory(memory: int, kind: str, ratio: float) -> None:
    assert intake_memory(largest(kind, ratio)) <= memory


@pytest.mark.parametrize("kind", LEAST)
def test_the_limits_accept_what_cameras_make(kind: str) -> None:
    accepted = largest(kind, 1.5)
    assert accepted.width * accepted.height >= LEAST[kind] * MEGA * 0.99


def test_all_frames_of_a_webp_fit_into_the_memory(memory: int) -> None:
    # As many frames as are accepted at 1,000 by 1,000 pixels.
    still = whole(Format.WEBP, MEGA, 1.0, bands=4)
    most = max(frames for frames in range(1, 401) if _is_accepted(replace(still, frames=frames), LIMITS))
    assert 100 < most < 400
    assert intake_memory(replace(still, frames=most)) <= memory, most


def test_the_largest_svg_fits_into_the_memory(memory: int) -> None:
    drawing = whole(Format.SVG, 4 * MEGA, 1.0, bands=4)
    assert intake_memory(replace(drawing, file_bytes=LIMITS.max_svg_bytes)) <= memory


def test_the_refusal_names_the_limit_that_is_exceeded() -> None:
    with pytest.raises(ImageRefused, match=r"at most 2[34][0-9]{6} ") as caught:
        check_limits(whole(Format.AVIF, 49 * MEGA, 1.0), LIMITS)
    assert caught.value.reason == "too-many-pixels"
    assert "as in this AVIF" in caught.value.sentence
