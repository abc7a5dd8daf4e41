"""The estimated memory of an image is never too low, and not many times too high."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests import extra_pictures, pictures
from tintype.imaging import (
    Format,
    ImageInfo,
    ImageRefused,
    Limits,
    Reason,
    Recipe,
    decode_memory,
    inspect,
    parse_params,
)
from tintype.imaging.pipeline.cost import BASE

WIDTH, HEIGHT = 2400, 1800
TIMES = 3.5
"""The maximum factor of an estimate: PNGs may be noise, which needs most, and the header does not tell."""

# The same kind of picture first, small, so that what is loaded once is there.
MEASURE = """
import sys
from pathlib import Path
from tintype.imaging.allocator import limit_arenas
limit_arenas(2)
from tintype.imaging import parse_params, inspect, render, verify

def status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))

def work(path):
    if words:
        render(path, parse_params(words))
    else:
        verify(path, inspect(path))

small, large, *settings = sys.argv[1:]
words = dict(word.split("=") for word in settings)
work(Path(small))
Path("/proc/self/clear_refs").write_text("5")
before = status("VmRSS")
work(Path(large))
print(status("VmHWM") - before)
"""

Maker = Callable[[Image.Image], bytes]


def with_alpha(image: Image.Image) -> Image.Image:
    image = image.copy()
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


def animation(format: str) -> Maker:
    def make(image: Image.Image) -> bytes:
        first = image.resize((image.width // 4, image.height // 4)).quantize(64).convert("RGB")
        others = [first.rotate(angle) for angle in range(10, 120, 10)]
        return pictures.encode(first, format, save_all=True, append_images=others, duration=100)

    return make


MAKERS: dict[str, Maker] = {
    "jpeg": lambda image: pictures.encode(image, "jpeg"),
    "progressive": lambda image: pictures.encode(image, "jpeg", progressive=True),
    "progressive444": lambda image: pictures.encode(image, "jpeg", progressive=True, subsampling=0),
    "png": lambda image: pictures.encode(image, "png", compress_level=1),
    "png-alpha": lambda image: pictures.encode(with_alpha(image), "png", compress_level=1),
    "webp": lambda image: pictures.encode(image, "webp", method=0),
    "webp-alpha": lambda image: pictures.encode(with_alpha(image), "webp", method=0),
    "webp-moving": animation("webp"),
    "gif": lambda image: pictures.encode(image.quantize(64), "gif"),
    "gif-moving": animation("gif"),
    "avif": lambda image: pictures.encode(image, "avif", speed=10),
    "tiff-lzw": lambda image: pictures.encode(image, "tiff", compression="tiff_lzw"),
    "tiff-one-strip": lambda image: pictures.encode(
        image, "tiff", compression="tiff_lzw", tiffinfo={278: image.height}
    ),
    "heic": lambda image: extra_pictures.heic(image, quality=50, enc_params={"preset": "ultrafast"}),
    "jxl": lambda image: extra_pictures.jxl(image, quality=80),
    "svg": lambda image: extra_pictures.svg('<circle r="20"/>', width=image.width, height=image.height),
}
CASES = [(kind, ()) for kind in MAKERS] + [
    ("jpeg", ("w=2000", "q=95")),
    ("jpeg", ("w=2000", "format=webp")),
    ("jpeg", ("w=2000", "format=webp", "lossless=yes")),
    ("jpeg", ("w=2000", "format=avif")),
    ("jpeg", ("w=1500", "format=gif")),
    ("jpeg", ("w=1500", "format=jxl")),
    ("jpeg", ("w=400", "linear=yes")),
    ("png", ("w=300",)),
    ("png-alpha", ("w=300",)),
    ("png-alpha", ("w=2000", "format=webp")),
    ("webp-alpha", ("w=300",)),
    ("webp-moving", ("w=500",)),
    ("gif-moving", ("w=500",)),
    ("avif", ("w=300",)),
    ("svg", ("w=2000",)),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pictures")


def made(folder: Path, kind: str, name: str, size: tuple[int, int]) -> Path:
    path = folder / f"{name}-{kind}"
    if not path.exists():
        path.write_bytes(MAKERS[kind](pictures.photo(100, 75).resize(size)))
    return path


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
@pytest.mark.parametrize(
    ("kind", "words"), CASES, ids=lambda part: part if isinstance(part, str) else "-".join(part)
)
def test_the_estimate_covers_the_memory_taken(folder: Path, kind: str, words: tuple[str, ...]) -> None:
    small, large = made(folder, kind, "small", (64, 48)), made(folder, kind, "large", (WIDTH, HEIGHT))
    recipe = parse_params(dict(word.split("=") for word in words)) if words else None
    estimate = decode_memory(inspect(large), recipe)
    ran = subprocess.run(
        [sys.executable, "-c", MEASURE, str(small), str(large), *words],
        capture_output=True,
        check=True,
        text=True,
    )
    taken = int(ran.stdout)
    assert taken <= estimate <= 2 * BASE + TIMES * taken


def info(format_: Format, width: int, height: int) -> ImageInfo:
    return ImageInfo(format=format_, width=width, height=height, frames=1, has_alpha=False, orientation=1)


def test_of_what_is_decoded_whole_twice_the_pixels_take_twice_the_memory() -> None:
    half, whole = (decode_memory(info(Format.AVIF, 5000, height)) - BASE for height in (3000, 6000))
    assert whole == pytest.approx(2 * half, rel=0.1)


def test_of_what_is_decoded_by_lines_more_lines_take_no_more() -> None:
    assert decode_memory(info(Format.PNG, 5000, 3000)) == decode_memory(info(Format.PNG, 5000, 20_000))


@pytest.mark.parametrize("format_", Format)
@pytest.mark.parametrize("recipe", [None, Recipe(width=100), Recipe(width=100, auto=True)])
def test_every_format_has_an_estimate(format_: Format, recipe: Recipe | None) -> None:
    assert decode_memory(info(format_, 100, 80), recipe) >= BASE


@pytest.mark.parametrize(
    ("kind", "whole"),
    [
        *((kind, False) for kind in ("jpeg", "png", "png-alpha", "tiff-lzw")),
        *((kind, True) for kind in ("progressive", "webp", "gif", "avif", "heic", "jxl", "svg")),
    ],
)
def test_a_lower_limit_holds_for_what_is_decoded_whole(kind: str, *, whole: bool) -> None:
    data = MAKERS[kind](pictures.photo(100, 300))
    limits = Limits(max_whole_pixels=100 * 300 - 1)
    if not whole:
        assert inspect(data, limits).whole_pixels == 0
        return
    with pytest.raises(ImageRefused, match="decoded at once") as caught:
        inspect(data, limits)
    assert caught.value.reason is Reason.TOO_MANY_PIXELS
    # Where a pixel takes more memory than usual, a multiple of them is needed.
    assert inspect(data, Limits(max_whole_pixels=3 * 100 * 300)).whole_pixels == 100 * 300
