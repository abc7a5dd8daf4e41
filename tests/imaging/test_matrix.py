"""Every source format is converted to every output format, for all kinds of pixels."""

import pytest
from PIL import Image, ImageSequence

from tests import pictures
from tintype.imaging import Format, FormatSpec, Recipe, render, spec
from tintype.imaging.formats import SPECS

SIZE, HALF = (240, 180), (120, 90)
BUILT_IN = [entry for entry in SPECS if entry.package is None]
WRITTEN = [entry for entry in BUILT_IN if entry.saver is not None]
WITH_ALPHA = [entry for entry in BUILT_IN if entry.has_alpha]


def name(entry: object) -> str:
    return entry.format.value if isinstance(entry, FormatSpec) else str(entry)


def made(source: bytes, target: FormatSpec) -> Image.Image:
    image = pictures.decode(render(source, Recipe(width=HALF[0], format=target.format)).data)
    assert image.format == target.format.upper()
    assert image.size == HALF
    return image


@pytest.mark.parametrize("target", WRITTEN, ids=name)
@pytest.mark.parametrize("source", BUILT_IN, ids=name)
def test_colours_stay_colours(source: FormatSpec, target: FormatSpec) -> None:
    image = made(pictures.picture(source.format, *SIZE), target).convert("RGBA")
    assert image.getchannel("A").getextrema() == (255, 255)
    reference = pictures.photo(*SIZE).resize(HALF, Image.Resampling.LANCZOS)
    pairs = zip(image.convert("RGB").tobytes(), reference.tobytes(), strict=True)
    assert sum(abs(a - b) for a, b in pairs) / len(reference.tobytes()) < 8


@pytest.mark.parametrize("target", WRITTEN, ids=name)
@pytest.mark.parametrize("source", WITH_ALPHA, ids=name)
def test_what_is_transparent_stays_so_where_it_can_be(source: FormatSpec, target: FormatSpec) -> None:
    data = pictures.encode(pictures.translucent(*SIZE), source.format)
    image = made(data, target).convert("RGBA")
    corner, middle = image.getpixel((0, 0)), image.getpixel((60, 45))
    assert isinstance(corner, tuple)
    assert isinstance(middle, tuple)
    assert corner[3] == (0 if target.has_alpha else 255)
    assert middle[3] == 255
    assert target.has_alpha or min(corner) > 245  # laid on white


@pytest.mark.parametrize("target", WRITTEN, ids=name)
@pytest.mark.parametrize(
    ("source", "mode", "as_written"),
    [
        ("jpeg", "L", {Format.JPEG: "L", Format.PNG: "L"}),
        ("jpeg", "CMYK", {Format.JPEG: "RGB", Format.PNG: "RGB"}),
        ("png", "1", {Format.JPEG: "L", Format.PNG: "L"}),
        ("png", "L", {Format.JPEG: "L", Format.PNG: "L"}),
        ("png", "LA", {Format.JPEG: "L", Format.PNG: "P"}),
        ("png", "I;16", {Format.JPEG: "L", Format.PNG: "L"}),
        ("tiff", "L", {Format.JPEG: "L", Format.PNG: "L"}),
        ("tiff", "CMYK", {Format.JPEG: "RGB", Format.PNG: "RGB"}),
    ],
)
def test_grey_stays_grey_and_inks_become_light(
    source: str, mode: str, as_written: dict[Format, str], target: FormatSpec
) -> None:
    picture = pictures.photo(*SIZE).convert("L" if mode == "I;16" else mode)
    if mode == "LA":
        picture.putalpha(picture.getchannel("L").point(lambda level: 255 - level // 2))
    if mode == "I;16":
        picture = picture.convert("I").point(lambda level: level * 257).convert("I;16")
    image = made(pictures.encode(picture, source), target)
    assert image.mode == as_written.get(target.format, image.mode)


@pytest.mark.parametrize("target", WRITTEN, ids=name)
@pytest.mark.parametrize("source", ["gif", "webp", "png"])
def test_frames_are_kept_where_source_and_target_move(source: str, target: FormatSpec) -> None:
    many = {"gif": pictures.gif(*SIZE, frames=3), "webp": pictures.webp(*SIZE, frames=3)}
    image = made(many.get(source) or pictures.apng(3, *SIZE), target)
    can_animate = spec(Format(source)).can_animate and target.can_animate
    assert len(list(ImageSequence.Iterator(image))) == (3 if can_animate else 1)
