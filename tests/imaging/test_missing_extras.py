"""An installation without the extras: other formats work, and the errors name the missing extra."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests import pictures
from tests.extra_pictures import heic, jxl, svg

PACKAGES = ("pillow_heif", "pillow_jxl", "py_svg_hush")

# Python asks its finders for a module; this one stands for all of them, and finds these packages nowhere.
HIDING = f"""
    import importlib.abc, json, sys
    from pathlib import Path

    real = list(sys.meta_path)

    class Choosing(importlib.abc.MetaPathFinder):
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] in {PACKAGES}:
                return None
            return next((spec for finder in real if (spec := finder.find_spec(name, path, target))), None)

    sys.meta_path[:] = [Choosing()]
"""
ASKING = """
    from tintype.imaging import Format, ImageRefused, Recipe, inspect, render

    messages = {}
    for path in sorted(Path(sys.argv[1]).iterdir()):
        try:
            inspect(path)
            render(path, Recipe(format=Format.JXL))
        except ImageRefused as refused:
            messages[path.name] = [refused.reason, str(refused)]
    print(json.dumps(messages))
"""


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Why each file is refused there."""
    folder = tmp_path_factory.mktemp("pictures")
    files = {
        "a.heic": heic(pictures.photo(8, 8)),
        "a.jxl": jxl(pictures.photo(8, 8)),
        "a.svg": svg(),
        "a.png": pictures.png(8, 8),
        "a.bmp": b"BM6\0\0\0",
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return asked(folder)


def asked(folder: Path) -> dict[str, list[str]]:
    script = textwrap.dedent(HIDING) + textwrap.dedent(ASKING)
    command = [sys.executable, "-c", script, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(("name", "format_"), [("heic", "HEIC"), ("jxl", "JXL"), ("svg", "SVG")])
def test_the_refusal_says_what_to_install(messages: dict[str, list[str]], name: str, format_: str) -> None:
    sentence = f"{format_} is accepted when the extra is installed: pip install 'tintype-server[{name}]'."
    assert messages[f"a.{name}"] == ["unsupported", sentence]


def test_so_does_the_one_of_a_rendition(messages: dict[str, list[str]]) -> None:
    sentence = "JXL is made when the extra is installed: pip install 'tintype-server[jxl]'."
    assert messages["a.png"] == ["unsupported", sentence]


def test_the_error_for_an_unknown_format_lists_the_accepted_ones(messages: dict[str, list[str]]) -> None:
    reason, sentence = messages["a.bmp"]
    assert reason == "unsupported"
    assert sentence.endswith("Accepted are JPEG, PNG, WebP, GIF, AVIF, TIFF, BMP and ICO.")
