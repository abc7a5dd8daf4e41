"""`tintype import`: files and folders, each imported once, with any names."""

import os
import signal
import socket
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result

from tests import pictures
from tests.cli.calling import call, run
from tests.cli.killing import killable
from tintype.cli.image_files import ImageFile, open_regular


def write(folder: Path, *names: str) -> None:
    for seed, name in enumerate(names, start=1):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pictures.png(8, 6, seed=seed))


def imported(data: Path, *arguments: str) -> str:
    """The summary of an import that succeeds."""
    result = call(data, "import", *arguments)
    assert result.exit_code == 0, result.output
    return summary(result)


def summary(result: Result) -> str:
    """The last line on standard error."""
    return result.stderr.splitlines()[-1]


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
    assert imported(data, *paths) == "4 imported, 0 already there, 0 refused."
    assert imported(data, *paths) == "0 imported, 4 already there, 0 refused."
    assert names(data) == ["a.png", "alone.png", "b.PNG", "c.png"]
    run(data, "check", "--deep")


def test_what_is_not_named_like_an_image_is_passed_over_in_folders_and_tried_by_itself(
    data: Path, source: Path
) -> None:
    write(source, "a.png", "notes.txt", "no-extension", "b.png.bak")
    assert imported(data, str(source)) == "1 imported, 0 already there, 0 refused."
    assert imported(data, str(source / "notes.txt")) == "1 imported, 0 already there, 0 refused."


def test_refused_files_are_listed_and_the_others_come_in(data: Path, source: Path) -> None:
    write(source, "good.png", "also good.png")
    (source / "broken.png").write_bytes(pictures.png()[:-60])
    (source / "[b]text.jpg").write_bytes(b"no picture at all")
    (source / "empty.gif").write_bytes(b"")
    result = call(data, "import", str(source))
    assert result.exit_code == 1
    assert summary(result) == "2 imported, 0 already there, 3 refused."
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
    assert imported(data, str(source)).startswith("6 imported")
    assert names(data) == sorted(spelt)


def test_a_name_that_is_no_text_comes_in_under_one_that_is(data: Path, source: Path) -> None:
    write(source, "a.png")
    (source / "a.png").rename(source / os.fsdecode(b"caf\xe9.png"))
    (source / os.fsdecode(b"\xff.png")).write_bytes(b"")
    result = call(data, "import", str(source))
    assert summary(result) == "1 imported, 0 already there, 1 refused."
    assert names(data) == ["caf\ufffd.png"]


def test_the_same_file_in_two_folders_comes_in_once(data: Path, source: Path) -> None:
    for folder in range(8):
        write(source / str(folder), "same.png")
    assert imported(data, str(source)) == "1 imported, 7 already there, 0 refused."


def test_accounts_people_and_status_are_as_asked(data: Path, source: Path) -> None:
    write(source, "a.png")
    run(data, "import", "--account", "north", "--person", "Борис", "--archived", str(source))
    assert imported(data, "--account", "south", str(source)).startswith("1 imported")
    assert names(data, "status = 2") == ["a.png"]
    with closing(sqlite3.connect(data / "catalogue.sqlite3")) as connection:
        query = (
            "SELECT accounts.name, people.name FROM images "
            "JOIN accounts ON accounts.id = images.account_id JOIN people ON people.id = images.created_by "
            "ORDER BY images.number"
        )
        assert connection.execute(query).fetchall() == [("north", "Борис"), ("south", "Administrator")]


def test_a_path_that_does_not_exist_is_named(data: Path) -> None:
    result = call(data, "import", "nowhere.png")
    assert result.exit_code == 2
    assert "nowhere.png" in result.stderr


def test_an_import_that_was_killed_is_completed_by_the_next(data: Path, source: Path) -> None:
    write(source, *(f"{number:03}.png" for number in range(150)))
    run(data, "init")
    with killable(data, "import", str(source)) as importing:
        while len(names(data)) < 20:
            assert importing.process.poll() is None
        importing.kill()
    before = len(names(data))
    assert 20 <= before < 150
    assert imported(data, str(source)) == f"{150 - before} imported, {before} already there, 0 refused."
    assert names(data) == sorted(path.name for path in source.iterdir())
    run(data, "gc")
    run(data, "check", "--deep")


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A picture outside the folder that is imported."""
    write(tmp_path, "secret.png")
    return tmp_path / "secret.png"


def test_a_link_does_not_lead_out_of_the_folder(data: Path, source: Path, secret: Path) -> None:
    write(source, "a.png")
    write(source.parent / "others", "b.png")
    (source / "link.png").symlink_to(secret)
    (source / "folder").symlink_to(source.parent / "others")
    (source / "notes.txt").symlink_to(secret)
    result = call(data, "import", str(source))
    assert (result.exit_code, summary(result)) == (0, "1 imported, 0 already there, 0 refused, 2 skipped.")
    for link in ("link.png", "folder"):
        assert f"{source / link}: a symbolic link; --follow-symlinks follows it" in result.stderr
    assert "notes.txt" not in result.stderr
    assert names(data) == ["a.png"]


def test_links_are_followed_when_that_is_asked_for_and_end_all_the_same(
    data: Path, source: Path, secret: Path
) -> None:
    write(source / "below", "a.png")
    write(source.parent / "others", "b.png", "c.png")
    (source / "link.png").symlink_to(secret)
    (source / "folder").symlink_to(source.parent / "others")
    (source / "below" / "loop").symlink_to(source)
    (source / "broken.png").symlink_to("nowhere")
    printed = imported(data, "--follow-symlinks", str(source))
    assert printed == "4 imported, 0 already there, 0 refused, 1 skipped."
    assert names(data) == ["a.png", "b.png", "c.png", "link.png"]


def test_what_is_named_itself_may_be_a_link(data: Path, source: Path, secret: Path) -> None:
    write(source / "real", "a.png")
    (source / "folder").symlink_to(source / "real")
    (source / "link.png").symlink_to(secret)
    printed = imported(data, str(source / "folder"), str(source / "link.png"))
    assert printed == "2 imported, 0 already there, 0 refused."


def test_a_file_that_becomes_a_link_before_it_is_opened_is_refused(source: Path, secret: Path) -> None:
    source.mkdir()
    (source / "a.png").symlink_to(secret)
    with pytest.raises(OSError, match="symbolic links"):
        open_regular(ImageFile(source / "a.png", follows=False))


def test_what_is_no_regular_file_is_passed_over_below_and_refused_by_itself(data: Path, source: Path) -> None:
    write(source, "a.png")
    os.mkfifo(source / "fifo.png")
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(str(source / "socket.png"))
        result = call(data, "import", str(source))
    assert summary(result) == "1 imported, 0 already there, 0 refused, 2 skipped."
    for name in ("fifo.png", "socket.png"):
        assert f"{source / name}: no regular file" in result.stderr
    result = call(data, "import", str(source / "fifo.png"), "/dev/null")
    assert (result.exit_code, summary(result)) == (1, "0 imported, 0 already there, 2 refused.")
    assert result.stderr.count("This is no regular file.") == 2


def test_a_huge_file_is_refused_before_it_is_copied(data: Path, source: Path) -> None:
    write(source, "a.png")
    with (source / "huge.png").open("wb") as file:
        file.truncate(2**40)
    result = call(data, "import", str(source))
    assert (result.exit_code, summary(result)) == (1, "1 imported, 0 already there, 1 refused.")
    assert f"huge.png: It has {2**40} bytes; the most accepted is {100 * 1024 * 1024}." in result.stderr


def test_what_can_not_be_read_is_said_without_its_path_twice(
    data: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(source, "a.png", "closed/b.png", "closed.png")
    refuse, scan = {str(source / "closed"), str(source / "closed.png")}, os.scandir
    open_ = os.open

    # As root may read everything, the system's own calls are made to refuse.
    def closed_scan(path: Path) -> object:
        if str(path) in refuse:
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    def closed_open(path: Path, *rest: int, **more: int) -> int:
        if str(path) in refuse:
            raise PermissionError(13, "Permission denied", str(path))
        return open_(path, *rest, **more)

    monkeypatch.setattr(os, "scandir", closed_scan)
    monkeypatch.setattr(os, "open", closed_open)
    result = call(data, "import", str(source))
    assert (result.exit_code, summary(result)) == (1, "1 imported, 0 already there, 2 refused.")
    for path in refuse:
        assert f"{path}: Permission denied\n" in result.stderr


def test_a_name_can_not_do_anything_to_the_terminal(data: Path, source: Path) -> None:
    write(source, "a.png")
    (source / "\x1b[2J\r.png").write_bytes(b"")
    (source / "\x9b31m.png").symlink_to("nowhere")
    result = call(data, "import", str(source))
    assert f"{source}/\\x1b[2J\\x0d.png: " in result.stderr
    assert f"{source}/\\x9b31m.png: " in result.stderr
    assert "\x1b" not in result.stderr
    assert "\x9b" not in result.stderr


def test_a_library_is_not_imported_into_itself(tmp_path: Path) -> None:
    data = tmp_path / "library"
    write(tmp_path, "a.png")
    run(data, "import", str(tmp_path / "a.png"))
    (data / "renditions" / "aa").mkdir()
    write(data / "renditions" / "aa", "made.png")
    assert imported(data, str(tmp_path)) == "0 imported, 1 already there, 0 refused."


def test_deep_folders_are_no_trouble(data: Path, source: Path) -> None:
    source.mkdir()
    descriptor = os.open(source, os.O_RDONLY)
    # By descriptors, as the path becomes longer than the system takes.
    for _ in range(1500):
        os.mkdir("deeper", dir_fd=descriptor)
        below = os.open("deeper", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    os.close(descriptor)
    write(source, "a.png")
    result = call(data, "import", str(source))
    # By a program that doesn't recurse: what pytest removes old folders with would fail here, in a later run.
    subprocess.run(["rm", "-r", source], check=True)
    assert summary(result) == "1 imported, 0 already there, 1 refused."
    assert "File name too long" in result.stderr


def test_ctrl_c_ends_it_in_one_line_and_what_came_in_stays(data: Path, source: Path) -> None:
    write(source, *(f"{number:03}.png" for number in range(150)))
    run(data, "init")
    with killable(data, "import", str(source)) as importing:
        while len(names(data)) < 5:
            assert importing.process.poll() is None
        importing.process.send_signal(signal.SIGINT)
        assert importing.join(30) == 130
    said_last = [line for line in importing.lines if not line.startswith("Importing")]
    assert said_last == ["Stopped. What was done so far stays; the same command goes on from there.\n"]
    assert list((data / "incoming").iterdir()) == []
    run(data, "check", "--deep")
    before = len(names(data))
    printed = imported(data, str(source))
    assert printed == f"{150 - before} imported, {before} already there, 0 refused."
