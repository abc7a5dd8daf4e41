"""`tintype attach` and `tintype detach`, with the places of evotor and smartsheet."""

import json
from pathlib import Path

import pytest

from tests import pictures
from tests.cli.calling import call, error_message, run

PRODUCT = ("product", "store", "till")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name, side in (("right.png", 300), ("wrong.png", 301)):
        (tmp_path / name).write_bytes(pictures.png(side, side))
    run(tmp_path / "data", "import", str(tmp_path / "right.png"), str(tmp_path / "wrong.png"))
    return tmp_path / "data"


def ids(data: Path, name: str) -> list[str]:
    """An image's id, short id and number."""
    (found,) = (
        each for each in map(json.loads, run(data, "list", "--json").splitlines()) if each["name"] == name
    )
    return [found["id"], found["short_id"], str(found["number"])]


def test_an_image_is_named_by_each_of_its_ids(data: Path) -> None:
    for id in ids(data, "right"):
        run(data, "attach", id, *PRODUCT)
        run(data, "detach", id, *PRODUCT)
        assert "not attached there" in error_message(data, "detach", id, *PRODUCT)


def test_rules_of_the_dialect_are_kept(data: Path) -> None:
    number = ids(data, "wrong")[2]
    assert "301 by 301 pixels; it has to be 300 by 300" in error_message(data, "attach", number, *PRODUCT)
    assert "Ids are 1 to 128 letters" in error_message(data, "attach", number, "product", "a b", "till")
    assert "kind has to be cell or product" in error_message(data, "attach", number, "shelf", "a", "b")
    assert "slot has to be an integer" in error_message(data, "attach", number, "cell", "1", "2")
    run(data, "attach", number, "cell", "1", "2", "3")


def test_what_is_no_id_is_said(data: Path) -> None:
    result = call(data, "attach", "photo", *PRODUCT)
    assert "its id, its short id or its number" in result.stderr
