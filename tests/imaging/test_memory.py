"""Downscaling streams: a large image takes little more memory than a small one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests import pictures

WIDTH, HEIGHT = 4000, 8000  # some lines are held, so that it depends on the width
WHOLE = WIDTH * HEIGHT // 1024  # kB of one channel

# Not ru_maxrss, which a process has from the one that started it.
MEASURE = """
import sys
from pathlib import Path
from tintype.imaging import parse_params, render

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

words = dict(word.split("=") for word in sys.argv[3:])
render(Path(sys.argv[1]), parse_params(words))
before = peak()
render(Path(sys.argv[2]), parse_params(words))
print(peak() - before)
"""


VERIFY = """
import sys
from pathlib import Path
from tintype.imaging import inspect, verify

path = Path(sys.argv[1])
verify(path, inspect(path))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`small` and `large` of a few kinds; 32 megapixels are large."""
    folder = tmp_path_factory.mktemp("pictures")
    exif = Image.Exif()
    exif[pictures.ORIENTATION_TAG] = 6
    for name, width, height in (("small", 200, 400), ("large", WIDTH, HEIGHT)):
        picture = pictures.photo(200, 400).resize((width, height))
        picture.save(folder / f"{name}.jpg", quality=85)
        picture.save(folder / f"{name}-lying.jpg", quality=85, exif=exif)
        picture.save(folder / f"{name}.png", compress_level=1)
        picture.convert("RGBA").save(folder / f"{name}-alpha.png", compress_level=1)
    return folder


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
@pytest.mark.parametrize(
    ("kind", "channels"), [(".jpg", 3), ("-lying.jpg", 3), (".png", 3), ("-alpha.png", 4)]
)
@pytest.mark.parametrize("words", [("w=512",), ("mode=cover-exact", "w=400", "h=400", "crop=attention")])
def test_a_large_source_takes_little_more_memory_than_a_small_one(
    folder: Path, kind: str, channels: int, words: tuple[str, ...]
) -> None:
    paths = [str(folder / f"{name}{kind}") for name in ("small", "large")]
    ran = subprocess.run(
        [sys.executable, "-c", MEASURE, *paths, *words, "format=jpeg"],
        capture_output=True,
        check=True,
        text=True,
    )
    assert int(ran.stdout) < 0.85 * channels * WHOLE


@pytest.mark.parametrize("format_", ["webp"])
def test_no_picture_goes_through_a_file_however_large(tmp_path: Path, format_: str) -> None:
    (tmp_path / "large").write_bytes(
        pictures.encode(Image.new("RGB", (6000, 5580), (9, 99, 199)), format_, method=0, speed=10)
    )
    command = [sys.executable, "-c", VERIFY, str(tmp_path / "large")]
    subprocess.run(command, check=True, env={**os.environ, "TMPDIR": str(tmp_path / "not there")})
