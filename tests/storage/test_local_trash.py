"""The trash: files are kept for a while, or deleted once no backup needs them."""

import fcntl
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tintype.storage.blobs import RemovedBlob
from tintype.storage.local_trash import LocalTrash

NOW = datetime(2024, 2, 29, 12, 0, tzinfo=UTC)
SHA256 = "ab" * 32

HOLD = """
import sys; from pathlib import Path; from tintype.storage.local_trash import LocalTrash
with LocalTrash(Path(sys.argv[1])).postpone_deletes() as is_ours:
    print(is_ours, flush=True); input()
"""


@pytest.fixture
def trash(tmp_path: Path) -> LocalTrash:
    return LocalTrash(tmp_path / "removed")


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


def test_what_is_deleted_is_gone(trash: LocalTrash, original: Path) -> None:
    trash.discard(original)
    assert not original.exists()
    assert list(trash.each()) == []


def test_while_a_backup_runs_what_is_deleted_waits(trash: LocalTrash, original: Path, tmp_path: Path) -> None:
    backup = holder(tmp_path)
    trash.discard(original)
    assert not original.exists()
    assert list(trash.each()) == [RemovedBlob(SHA256, None, len(b"picture"))]
    with trash.open(SHA256) as file:
        assert file.read() == b"picture"
    with trash.allow_deletes() as is_free:
        assert not is_free
    with trash.postpone_deletes() as is_ours:
        assert not is_ours
    backup.communicate("\n")
    assert list(trash.each()) == []


def test_what_a_killed_backup_leaves_is_deleted_after_the_next(
    trash: LocalTrash, original: Path, tmp_path: Path
) -> None:
    backup = holder(tmp_path)
    trash.discard(original)
    backup.kill()
    backup.communicate()
    assert list(trash.each()) == [RemovedBlob(SHA256, None, len(b"picture"))]
    with trash.postpone_deletes():
        pass
    assert list(trash.each()) == []


def test_a_backup_that_ends_while_something_is_deleted_leaves_nothing(
    trash: LocalTrash, original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = holder(tmp_path)
    replace = os.replace

    def end_first(source: Path, target: Path) -> None:
        backup.communicate("\n")
        replace(source, target)

    monkeypatch.setattr(os, "replace", end_first)
    trash.discard(original)
    assert list(trash.each()) == []


def test_a_backup_does_not_wait_and_says_so(trash: LocalTrash, tmp_path: Path) -> None:
    folder = os.open(tmp_path / "removed", os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_SH)
    with trash.postpone_deletes() as is_ours:
        assert not is_ours
    os.close(folder)
    with trash.postpone_deletes() as is_ours:
        assert is_ours


def test_the_newest_is_found_first(trash: LocalTrash, original: Path, tmp_path: Path) -> None:
    for hour, text in enumerate(("old", "new")):
        original.write_text(text)
        trash.set_aside(original, NOW.replace(hour=hour))
    with trash.open(SHA256) as file:
        assert file.read() == b"new"
    older = RemovedBlob(SHA256, NOW.replace(hour=0), 3)
    assert list(trash.each()) == [RemovedBlob(SHA256, NOW.replace(hour=1), 3), older]
    assert (tmp_path / "removed" / "20240229T000000Z" / SHA256).exists()
    trash.delete(older)
    trash.delete(older)
    assert not (tmp_path / "removed" / "20240229T000000Z").exists()
    assert len(list(trash.each())) == 1


def test_what_lies_there_and_is_not_ours_is_left_alone(trash: LocalTrash, tmp_path: Path) -> None:
    foreign = tmp_path / "removed" / "notes" / SHA256
    foreign.parent.mkdir()
    foreign.write_bytes(b"")
    note = tmp_path / "removed" / "deleted" / "README"
    note.write_bytes(b"")
    with trash.postpone_deletes():
        pass
    assert list(trash.each()) == []
    assert foreign.exists()
    assert note.exists()
