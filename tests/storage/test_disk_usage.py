"""The disk usage counter: shared by all processes, in one small file."""

import fcntl
from pathlib import Path

import pytest

from tintype.storage.disk_usage import DiskUsage, allocated_bytes


@pytest.mark.parametrize(("size", "taken"), [(0, 0), (1, 4096), (4096, 4096), (4097, 8192)])
def test_files_take_whole_blocks(size: int, taken: int) -> None:
    assert allocated_bytes(size) == taken


def test_what_all_processes_add_and_take_away_is_one_sum(tmp_path: Path) -> None:
    one, other = DiskUsage(tmp_path / "level"), DiskUsage(tmp_path / "level")
    one.add(100, counted_at=5)
    other.add(30)
    one.add(-50)
    assert (one.bytes, one.counted_at) == (80, 5)
    other.add(0)
    assert (other.bytes, other.counted_at) == (80, 5)


def test_it_is_never_below_nothing(tmp_path: Path) -> None:
    level = DiskUsage(tmp_path / "level")
    level.add(10)
    level.add(-100)
    level.add(7)
    assert level.bytes == 7


def test_a_file_that_vanished_or_is_damaged_was_never_counted(tmp_path: Path) -> None:
    level = DiskUsage(tmp_path / "folder" / "level")
    level.add(100, counted_at=5)
    for spoil in (
        (tmp_path / "folder" / "level").unlink,
        lambda: (tmp_path / "folder" / "level").write_text("?"),
    ):
        spoil()
        level.add(1)
        assert (level.bytes, level.counted_at) == (1, 0)


def test_what_cannot_be_written_now_is_written_with_the_next(tmp_path: Path) -> None:
    path = tmp_path / "level"
    level, other = DiskUsage(path), DiskUsage(path)
    level.add(1)
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        level.add(10)
        level.add(100)
        assert level.bytes == 111
    level.add(1000)
    other.add(0)
    assert level.bytes == other.bytes == 1111
