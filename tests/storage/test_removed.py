"""The trash: files are kept for a while, or deleted once no backup needs them."""

import fcntl
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tintype.storage.removed import Removed

NOW = datetime(2024, 2, 29, 12, 0, tzinfo=UTC)
SHA256 = "ab" * 32

HOLD = """
import sys; from pathlib import Path; from tintype.storage.removed import Removed
with Removed(Path(sys.argv[1])).exclusive_lock() as is_ours:
    print(is_ours, flush=True); input()
"""


@pytest.fixture
def removed(tmp_path: Path) -> Removed:
    return Removed(tmp_path / "removed")


@pytest.fixture
def original(tmp_path: Path) -> Path:
    path = tmp_path / SHA256
    path.write_bytes(b"picture")
    return path


def holder(tmp_path: Path) -> subprocess.Popen[str]:
    """Another process that holds the exclusive lock until its standard input ends."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "removed")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    return process


def test_what_is_deleted_is_gone(removed: Removed, original: Path) -> None:
    removed.delete(original)
    assert not original.exists()
    assert list(removed.each()) == []


def test_while_a_backup_runs_what_is_deleted_waits(removed: Removed, original: Path, tmp_path: Path) -> None:
    backup = holder(tmp_path)
    removed.delete(original)
    assert not original.exists()
    assert removed.find(SHA256) == tmp_path / "removed" / "deleted" / SHA256
    with removed.exclusive_lock() as is_ours:
        assert not is_ours
    backup.communicate("\n")
    assert list(removed.each()) == []


def test_what_a_killed_backup_leaves_is_due_at_once(removed: Removed, original: Path, tmp_path: Path) -> None:
    backup = holder(tmp_path)
    removed.delete(original)
    backup.kill()
    backup.communicate()
    assert removed.expired(NOW) == [tmp_path / "removed" / "deleted" / SHA256]
    with removed.exclusive_lock():
        pass
    assert list(removed.each()) == []


def test_a_backup_that_ends_while_something_is_deleted_leaves_nothing(
    removed: Removed, original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = holder(tmp_path)
    replace = os.replace

    def end_first(source: Path, target: Path) -> None:
        backup.communicate("\n")
        replace(source, target)

    monkeypatch.setattr(os, "replace", end_first)
    removed.delete(original)
    assert list(removed.each()) == []


def test_a_backup_does_not_wait_and_says_so(removed: Removed, tmp_path: Path) -> None:
    folder = os.open(tmp_path / "removed", os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_SH)
    with removed.exclusive_lock() as is_ours:
        assert not is_ours
    os.close(folder)
    with removed.exclusive_lock() as is_ours:
        assert is_ours


def test_the_newest_is_found_first(removed: Removed, original: Path, tmp_path: Path) -> None:
    for hour, text in enumerate(("old", "new")):
        original.write_text(text)
        removed.set_aside(original, NOW.replace(hour=hour))
    found = removed.find(SHA256)
    assert found is not None
    assert found.read_text() == "new"
    assert len(list(removed.each())) == 2
    assert removed.expired(NOW.replace(hour=0)) == [tmp_path / "removed" / "20240229T000000Z" / SHA256]
    assert removed.oldest() == NOW.replace(hour=0)


def test_what_lies_there_and_is_not_ours_is_left_alone(removed: Removed, tmp_path: Path) -> None:
    foreign = tmp_path / "removed" / "notes" / SHA256
    foreign.parent.mkdir()
    foreign.write_bytes(b"")
    note = tmp_path / "removed" / "deleted" / "README"
    note.write_bytes(b"")
    with removed.exclusive_lock():
        pass
    assert list(removed.each()) == []
    assert foreign.exists()
    assert note.exists()
