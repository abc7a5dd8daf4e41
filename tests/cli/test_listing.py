"""`tintype list`: which images there are, and what each dialect calls them."""

import json
from pathlib import Path

import pytest

from tests import pictures
from tests.cli.calling import call, run
from tintype.cli import listing


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three images of two accounts, added in this order."""
    files = {
        "harbour.png": pictures.png(8, 6),
        "Éclair.jpg": pictures.jpeg(60, 40),
        "third.gif": pictures.gif(),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        account = "south" if name == "Éclair.jpg" else "north"
        archived = ["--archived"] if name.endswith(".gif") else []
        run(tmp_path / "data", "import", str(tmp_path / name), "--account", account, *archived)
    return tmp_path / "data"


def listed(data: Path, *options: str) -> list[str]:
    return [json.loads(line)["filename"] for line in run(data, "list", "--json", *options).splitlines()]


def test_every_image_has_its_three_ids_newest_first(data: Path) -> None:
    lines = [line.split("\t") for line in run(data, "list").splitlines()]
    found = [json.loads(line) for line in run(data, "list", "--json").splitlines()]
    assert [line[:3] for line in lines] == [
        [each["id"], each["short_id"], str(each["number"])] for each in found
    ]
    assert [line[2:] for line in lines] == [
        ["3", "north", "archived", "64x48", "third.gif"],
        ["2", "south", "active", "60x40", "Éclair.jpg"],
        ["1", "north", "active", "8x6", "harbour.png"],
    ]
    assert all(len(each["short_id"]) == 22 for each in found)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--account", "south"], ["Éclair.jpg"]),
        (["--search", "ECLAIR"], ["Éclair.jpg"]),
        (["--status", "archived"], ["third.gif"]),
        (["--format", "png", "--format", "jpeg"], ["Éclair.jpg", "harbour.png"]),
        (["--limit", "2"], ["third.gif", "Éclair.jpg"]),
        (["--search", "nothing"], []),
    ],
)
def test_filters(data: Path, options: list[str], names: list[str]) -> None:
    assert listed(data, *options) == names


def test_more_than_one_page_is_listed_to_its_end(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAGE", 2)
    assert listed(data) == ["third.gif", "Éclair.jpg", "harbour.png"]


def test_an_account_that_is_not_there_is_said(data: Path) -> None:
    result = call(data, "list", "--account", "west")
    assert (result.exit_code, "There is no account 'west'." in result.stderr) == (1, True)


def test_an_import_prints_what_the_list_shows(data: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.png"
    new.write_bytes(pictures.png(7, 7))
    present = tmp_path / "harbour.png"
    lines = run(data, "import", "--account", "north", str(new), str(present)).splitlines()
    found = {each["filename"]: each for each in map(json.loads, run(data, "list", "--json").splitlines())}
    assert sorted(lines) == sorted(
        f"{found[path.name]['id']}\t{found[path.name]['short_id']}\t{found[path.name]['number']}\t{path}"
        for path in (new, present)
    )
