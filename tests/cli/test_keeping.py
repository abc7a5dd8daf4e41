"""`tintype check`, `gc`, `purge` and `placeholders`: output and exit status."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from tests import pictures
from tests.cli.calling import call, run


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A library of two images."""
    for seed in (1, 2):
        (tmp_path / f"{seed}.png").write_bytes(pictures.png(8, 6, seed=seed))
    run(tmp_path / "data", "import", str(tmp_path / "1.png"), str(tmp_path / "2.png"))
    return tmp_path / "data"


def originals(data: Path) -> list[Path]:
    return sorted(path for path in (data / "originals").rglob("*") if path.is_file())


def test_a_sound_library_is_said_to_be_sound(data: Path) -> None:
    for options in ([], ["--deep"]):
        assert run(data, "check", *options) == "Every image has its bytes, and every original an image.\n"


def test_a_missing_original_is_a_line_and_an_exit_status_of_one(data: Path) -> None:
    gone, _ = originals(data)
    gone.unlink()
    result = call(data, "check")
    assert result.exit_code == 1
    (line,) = result.stdout.splitlines()
    assert gone.name in line
    assert "is missing" in line


def test_damage_that_keeps_the_size_is_found_by_reading_all(data: Path) -> None:
    damaged, _ = originals(data)
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    assert call(data, "check").exit_code == 0
    result = call(data, "check", "--deep")
    assert result.exit_code == 1
    assert [damaged.name in line and "is damaged" in line for line in result.stdout.splitlines()] == [True]


def test_what_nobody_needs_is_found_told_and_removed(data: Path) -> None:
    unused = data / "originals" / "ab" / ("ab" + "0" * 62)
    unused.parent.mkdir(exist_ok=True)
    unused.write_bytes(b"left over")
    temporary = data / "incoming" / "upload-1"
    temporary.write_bytes(b"half an uplo")
    os.utime(temporary, (0, 0))

    result = call(data, "check")
    assert result.exit_code == 1
    assert "tintype gc" in result.stdout
    assert "1 temporary files are older than a day" in result.stdout
    assert run(data, "gc", "--dry-run") == (
        "Would set aside 1 originals, delete 0 that were set aside before, "
        "remove renditions of 0 images and 1 temporary files.\n"
    )
    assert unused.exists()
    assert temporary.exists()
    assert run(data, "gc") == (
        "Set aside 1 originals, deleted 0 that were set aside before, "
        "removed renditions of 0 images and 1 temporary files.\n"
    )
    assert not unused.exists()
    assert not temporary.exists()
    assert "removed/: 1 originals, 9 bytes, were set aside, the first 20" in run(data, "check", "--deep")
    (aside,) = (data / "removed").rglob(unused.name)
    aside.parent.rename(aside.parent.with_name("20000101T000000Z"))
    assert run(data, "gc").startswith("Set aside 0 originals, deleted 1 that were set aside before")
    run(data, "check", "--deep")


def test_an_emptied_catalogue_takes_no_original_with_it(data: Path) -> None:
    kept = originals(data)
    with closing(sqlite3.connect(data / "catalogue.sqlite3")) as catalogue:
        (recorded,) = catalogue.execute("SELECT count(*) FROM images").fetchone()
        catalogue.execute("CREATE TABLE aside AS SELECT * FROM images")
        catalogue.execute("DELETE FROM images")
        catalogue.commit()
    assert "It would be refused." in run(data, "gc", "--dry-run")
    for options in ([], ["--yes-remove", "1"], ["--yes-remove", "0"]):
        result = call(data, "gc", *options)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "2 " in result.stderr
    assert originals(data) == kept
    assert run(data, "gc", "--yes-remove", str(recorded)).startswith("Set aside 2 originals")
    assert originals(data) == []
    with closing(sqlite3.connect(data / "catalogue.sqlite3")) as catalogue:
        catalogue.execute("INSERT INTO images SELECT * FROM aside")
        catalogue.commit()
    result = call(data, "check")
    assert (result.exit_code, result.stdout.count("`tintype gc --restore` puts it back")) == (1, 2)
    assert run(data, "gc", "--restore") == "Put back 2 originals.\n"
    assert originals(data) == kept
    # What an account holds was counted while the catalogue was empty.
    run(data, "gc")
    assert run(data, "check", "--deep") == "Every image has its bytes, and every original an image.\n"


def test_gc_does_not_touch_what_a_damaged_library_still_has(data: Path) -> None:
    damaged, sound = originals(data)
    damaged.write_bytes(b"")
    run(data, "gc")
    assert originals(data) == [damaged, sound]


def test_what_was_made_of_an_image_is_purged_by_number_or_id(data: Path) -> None:
    with closing(sqlite3.connect(data / "catalogue.sqlite3")) as catalogue:
        ((number, id), (other, _)) = catalogue.execute("SELECT number, id FROM images ORDER BY number")
    id = str(UUID(id))
    for seen in (str(number), id):
        made = data / "renditions" / id[-2:] / id / f"1-{32 * 'a'}.webp"
        made.parent.mkdir(parents=True)
        made.write_bytes(b"picture")
        assert run(data, "purge", seen, str(other)).splitlines()[:2] == [
            f"image {id}: removed 1 renditions, 7 bytes",
            f"  version 1, recipe {32 * 'a'}, webp, 7 bytes",
        ]
        assert not made.exists()


@pytest.mark.parametrize("name", ["99", "nonsense", "9" * 30, "00000000-0000-0000-0000-000000000001"])
def test_an_image_that_is_not_there_is_named(data: Path, name: str) -> None:
    result = call(data, "purge", name)
    assert result.exit_code == 1
    assert f"{name}: " in result.stderr


def test_placeholders_are_made_where_they_lack(data: Path) -> None:
    assert run(data, "placeholders") == "Made 0 placeholders.\n"
    with closing(sqlite3.connect(data / "catalogue.sqlite3")) as catalogue:
        catalogue.execute("UPDATE images SET thumbhash = NULL, colour = NULL")
        catalogue.commit()
    gone, _ = originals(data)
    gone.unlink()
    result = call(data, "placeholders")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "Made 1 placeholders.",
        "1 originals can't be read; `tintype check --deep` names them.",
    ]
