"""The page of the imaging library, tried: its example runs, and every field of a recipe is in its table."""

import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests import pictures
from tintype.imaging import Crop, Format, Mode, Recipe, spec
from tintype.imaging.recipe.params import READERS

PAGE = (Path(__file__).parents[2] / "docs" / "imaging.md").read_text()
TABLE = PAGE[PAGE.index("## Recipes") : PAGE.index("## The pipeline")]


def test_the_example_prints_what_the_page_says(tmp_path: Path) -> None:
    example, printed = re.findall(r"```python\n(.*?)```.*?```text\n(.*?)```", PAGE, re.DOTALL)[0]
    (tmp_path / "photo.jpg").write_bytes(pictures.jpeg(1200, 800))
    ran = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ran.stdout == printed
    assert pictures.decode((tmp_path / "card.webp").read_bytes()).size == (320, 200)


@pytest.mark.parametrize("field", [field.name for field in msgspec.structs.fields(Recipe)])
def test_every_field_of_a_recipe_has_its_row(field: str) -> None:
    assert re.search(rf"^\| [^|]*`{field}`", TABLE, re.MULTILINE)


@pytest.mark.parametrize("word", [*READERS, *Mode, *Crop, *(f for f in Format if spec(f).saver is not None)])
def test_every_word_and_value_is_told(word: str) -> None:
    assert f"`{word}`" in TABLE
