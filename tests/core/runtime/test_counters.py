"""Where counters are kept: on a disk that may be full."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.hostile.full_disk import fill, small_disk
from tintype.core.runtime import counters
from tintype.core.runtime.counters import counters_folder


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "full", 1) as folder:
        fill(folder)
        yield folder


def test_the_space_of_all_files_is_reserved() -> None:
    """They are mapped into memory: writing where there is no space would end a worker process."""
    with counters_folder(3) as folder:
        assert folder is not None
        files = [each.stat() for each in folder.iterdir()]
        assert len(files) == 3 * 2
        assert all(each.st_blocks * 512 >= each.st_size > 0 for each in files)


def test_another_folder_is_used_where_there_is_no_space(
    full: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "MEMORY_FOLDER", full)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with counters_folder(1) as folder:
        assert folder is not None
        assert folder.parent == tmp_path


def test_without_space_anywhere_there_is_no_folder(full: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "MEMORY_FOLDER", full)
    monkeypatch.setattr(tempfile, "tempdir", str(full))
    with capture_logs() as lines, counters_folder(1) as folder:
        assert folder is None
    assert [line["event"] for line in lines] == ["metrics-folder-unusable"] * 2
    assert [each.name for each in full.iterdir()] == ["of-another-program"]
