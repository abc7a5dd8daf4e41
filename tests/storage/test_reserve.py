"""The reserve: disk space that is really allocated, and released as a whole."""

import errno
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tintype.model import Error, InsufficientStorage
from tintype.storage import Reserve, Staging
from tintype.storage.blobs import digest
from tintype.storage.durable import UNWRITABLE
from tintype.storage.local import LocalBlobs
from tintype.storage.reserve import BYTES

BLOCK = 512
"""What `st_blocks` counts in (POSIX)."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "reserve"


def failing(number: int) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def test_it_takes_its_room_from_the_disk_until_it_is_released(path: Path) -> None:
    reserve = Reserve(path)
    assert not reserve.release()
    reserve.hold()
    assert path.stat().st_blocks * BLOCK >= path.stat().st_size == BYTES
    made = path.stat().st_ino
    reserve.hold()
    assert path.stat().st_ino == made
    assert reserve.release()
    assert not path.exists()


@pytest.mark.parametrize("number", sorted(UNWRITABLE))
def test_without_room_for_it_nothing_is_left(
    path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "posix_fallocate", failing(number))
    with pytest.raises(InsufficientStorage) as refused:
        Reserve(path).hold()
    assert os.strerror(number) in refused.value.message
    assert list(path.parent.iterdir()) == []
    faults = {errno.ENOSPC: "full", errno.EDQUOT: "full", errno.EROFS: "read-only"}
    assert Reserve(path).fault() == faults.get(number, "not writable")


def test_what_is_wrong_otherwise_is_not_called_a_full_disk(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "posix_fallocate", failing(errno.EIO))
    with pytest.raises(OSError, match="Input/output"):
        Reserve(path).hold()
    assert Reserve(path).fault() == "not writable"


def test_a_write_that_found_no_room_may_be_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    originals = LocalBlobs(tmp_path / "originals", tmp_path / "removed")
    write = os.pwrite

    def half(descriptor: int, data: memoryview, at: int) -> int:
        if len(data) <= 3:
            raise OSError(errno.ENOSPC, "full")
        return write(descriptor, data[:3], at)

    with Staging(tmp_path / "incoming").stage(100) as staged:
        staged.write(b"before")
        with monkeypatch.context() as full:
            full.setattr(os, "pwrite", half)
            with pytest.raises(Error):
                staged.write(b"picture")
        staged.write(b"picture")
        staged.seal()
        assert staged.path.read_bytes() == b"beforepicture"
        assert staged.size == len(b"beforepicture")
        originals.put(staged)
        assert digest(originals, staged.sha256) == staged.sha256


def test_those_who_make_it_at_once_make_one(path: Path) -> None:
    reserve = Reserve(path)
    with ThreadPoolExecutor(8) as threads:
        for made in [threads.submit(reserve.hold) for _ in range(32)]:
            made.result()
    assert [each.name for each in path.parent.iterdir()] == ["reserve"]
