"""`tintype import`: files and folders, once each, whatever their names."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests import pictures
from tests.cli.calling import call, said
from tests.cli.killing import killable


def write(folder: Path, *names: str) -> None:
    for seed, name in enumerate(names, start=1):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pictures.png(8, 6, seed=seed))


def names(data: Path, condition: str = "1") -> list[str]:
    with closing(sqlite3.connect(data / "catalogue.sqlite3")) as connection:
        query = f"SELECT filename FROM images WHERE {condition} ORDER BY filename"  # noqa: S608  our own conditions
        return [name for (name,) in connection.execute(query)]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "source"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_files_and_folders_with_all_below_them_are_imported_once(data: Path, source: Path) -> None:
    write(source, "a.png", "below/b.PNG", "below/further/c.png")
    write(source.parent, "alone.png")
    paths = [str(source), str(source.parent / "alone.png")]
    # alone.png has the bytes of a.png: another name is another image.
    assert said(data, "import", *paths) == "4 imported, 0 already there, 0 refused.\n"
    assert said(data, "import", *paths) == "0 imported, 4 already there, 0 refused.\n"
    assert names(data) == ["a.png", "alone.png", "b.PNG", "c.png"]
    said(data, "check", "--deep")


def test_what_is_not_named_like_an_image_is_passed_over_in_folders_and_tried_by_itself(
    data: Path, source: Path
) -> None:
    write(source, "a.png", "notes.txt", "no-extension", "b.png.bak")
    assert said(data, "import", str(source)) == "1 imported, 0 already there, 0 refused.\n"
    assert said(data, "import", str(source / "notes.txt")) == "1 imported, 0 already there, 0 refused.\n"


def test_refused_files_are_listed_and_the_others_come_in(data: Path, source: Path) -> None:
    write(source, "good.png", "also good.png")
    (source / "broken.png").write_bytes(pictures.png()[:-60])
    (source / "[b]text.jpg").write_bytes(b"no picture at all")
    (source / "empty.gif").write_bytes(b"")
    result = call(data, "import", str(source))
    assert result.exit_code == 1
    assert result.stdout == "2 imported, 0 already there, 3 refused.\n"
    for refused in ("broken.png", "[b]text.jpg", "empty.gif"):
        (line,) = [line for line in result.stderr.splitlines() if f"{source / refused}: " in line]
        assert line.split(": ", 1)[1].strip()
    assert "good.png: " not in result.stderr
    assert names(data) == ["also good.png", "good.png"]


def test_a_file_over_the_limit_is_refused(data: Path, source: Path) -> None:
    write(source, "a.png")
    size = (source / "a.png").stat().st_size
    result = call(data, "import", str(source), env={"TINTYPE_IMAGES_MAX_BYTES": str(size - 1)})
    assert (result.exit_code, str(size - 1) in result.stderr) == (1, True)
    assert call(data, "import", str(source), env={"TINTYPE_IMAGES_MAX_BYTES": str(size)}).exit_code == 0


def test_names_in_any_alphabet_are_kept(data: Path, source: Path) -> None:
    spelt = [
        "Ünïcödé.png",
        "Отель на набережной.png",
        "Logo 🦊.png",
        "e\u0301.png",
        'a"b<c>.png',
        "100%_off.png",
    ]
    write(source, *spelt)
    assert said(data, "import", str(source)).startswith("6 imported")
    assert names(data) == sorted(spelt)


def test_a_name_that_is_no_text_comes_in_under_one_that_is(data: Path, source: Path) -> None:
    write(source, "a.png")
    (source / "a.png").rename(source / os.fsdecode(b"caf\xe9.png"))
    (source / os.fsdecode(b"\xff.png")).write_bytes(b"")
    result = call(data, "import", str(source))
    assert result.stdout == "1 imported, 0 already there, 1 refused.\n"
    assert names(data) == ["caf\ufffd.png"]


def test_the_same_file_in_two_folders_comes_in_once(data: Path, source: Path) -> None:
    for folder in range(8):
        write(source / str(folder), "same.png")
    assert said(data, "import", str(source)) == "1 imported, 7 already there, 0 refused.\n"


def test_accounts_people_and_status_are_as_asked(data: Path, source: Path) -> None:
    write(source, "a.png")
    said(data, "import", "--account", "north", "--person", "Борис", "--archived", str(source))
    assert said(data, "import", "--account", "south", str(source)).startswith("1 imported")
    assert names(data, "status = 2") == ["a.png"]
    with closing(sqlite3.connect(data / "catalogue.sqlite3")) as connection:
        query = (
            "SELECT accounts.name, people.name FROM images "
            "JOIN accounts ON accounts.id = images.account_id JOIN people ON people.id = images.created_by "
            "ORDER BY number"
        )
        assert connection.execute(query).fetchall() == [("north", "Борис"), ("south", "Administrator")]


def test_a_path_that_does_not_exist_is_named(data: Path) -> None:
    result = call(data, "import", "nowhere.png")
    assert result.exit_code == 2
    assert "nowhere.png" in result.stderr


def test_an_import_that_was_killed_is_completed_by_the_next(data: Path, source: Path) -> None:
    write(source, *(f"{number:03}.png" for number in range(150)))
    said(data, "init")
    with killable(data, "import", str(source)) as importing:
        while len(names(data)) < 20:
            assert importing.process.poll() is None
        importing.kill()
    before = len(names(data))
    assert 20 <= before < 150
    assert (
        said(data, "import", str(source)) == f"{150 - before} imported, {before} already there, 0 refused.\n"
    )
    assert names(data) == sorted(path.name for path in source.iterdir())
    said(data, "gc")
    said(data, "check", "--deep")
