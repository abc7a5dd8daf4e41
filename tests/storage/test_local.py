"""Originals on the local disk: hashed and limited while uploaded, put durably, named by their digest."""

import errno
import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tintype.model import Error
from tintype.storage import SizeLimitExceeded, Staged, Staging
from tintype.storage.blobs import digest
from tintype.storage.local import LocalBlobs

DATA = b"the bytes of a picture" * 1000
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def originals(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path / "originals", tmp_path / "removed")


@pytest.fixture
def staging(tmp_path: Path) -> Staging:
    return Staging(tmp_path / "incoming")


@contextmanager
def staged_in(staging: Staging, data: bytes = DATA) -> Iterator[Staged]:
    with staging.stage(len(data)) as staged:
        staged.write(data[:7])
        staged.write(data[7:])
        staged.seal()
        yield staged


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_staged_bytes_are_hashed_and_counted(staging: Staging) -> None:
    with staged_in(staging) as staged:
        assert staged.sha256 == SHA256
        assert staged.size == len(DATA)
        with staged.read() as file:
            assert file.read() == DATA


def test_the_limit_itself_is_taken_and_one_byte_more_is_not(staging: Staging) -> None:
    with staging.stage(10) as staged:
        staged.write(b"0123456789")
        with pytest.raises(SizeLimitExceeded):
            staged.write(b"x")


def test_what_lies_on_the_way_in_is_private(staging: Staging) -> None:
    with staging.stage(10) as staged:
        assert staged.path.stat().st_mode & 0o777 == 0o600


def test_published_bytes_lie_under_their_digest_and_nowhere_else(
    originals: LocalBlobs, staging: Staging, tmp_path: Path
) -> None:
    with staged_in(staging) as staged:
        originals.put(staged)
    assert originals.stat(SHA256)
    assert Path(originals.local_path(SHA256)).read_bytes() == DATA
    assert digest(originals, SHA256) == SHA256
    assert files_below(tmp_path) == [tmp_path / "originals" / SHA256[:2] / SHA256]
    assert list(originals.list()) == [SHA256]


def test_publishing_is_a_rename_between_two_syncs(
    originals: LocalBlobs, staging: Staging, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, rename = os.fsync, os.replace

    def watch_fsync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").resolve()
        done.append(f"sync {'folder' if path.is_dir() else 'file'} {path.name}")
        fsync(descriptor)

    def watch_replace(source: Path, target: Path) -> None:
        done.append("rename")
        rename(source, target)

    # The operating system's own calls are watched, and carried out.
    monkeypatch.setattr(os, "fsync", watch_fsync)
    monkeypatch.setattr(os, "replace", watch_replace)
    with staged_in(staging) as staged:
        name = staged.path.name
        originals.put(staged)
    assert (
        done
        == [
            f"sync file {name}",
            "sync folder originals",  # the entry of the new folder
            "rename",
            f"sync folder {SHA256[:2]}",
        ]
    )


def test_the_same_bytes_twice_are_one_file(originals: LocalBlobs, staging: Staging, tmp_path: Path) -> None:
    for _ in range(2):
        with staged_in(staging) as staged:
            originals.put(staged)
    assert len(files_below(tmp_path)) == 1


def test_what_was_not_published_is_gone_when_the_block_ends(staging: Staging, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), staged_in(staging):
        _ = 1 / 0
    assert files_below(tmp_path) == []


def test_discarding_twice_is_harmless(staging: Staging) -> None:
    with staged_in(staging) as staged:
        staged.discard()


def test_a_stage_that_was_never_opened_is_nowhere(staging: Staging, tmp_path: Path) -> None:
    staged = staging.stage(10)
    assert files_below(tmp_path) == []
    staged.discard()


def test_removed_bytes_are_gone_and_removing_them_again_is_no_error(
    originals: LocalBlobs, staging: Staging, tmp_path: Path
) -> None:
    with staged_in(staging) as staged:
        originals.put(staged)
    originals.delete(SHA256)
    originals.delete(SHA256)
    assert not originals.stat(SHA256)
    assert files_below(tmp_path) == []


def test_files_that_are_not_ours_are_passed_over(
    originals: LocalBlobs, staging: Staging, tmp_path: Path
) -> None:
    with staged_in(staging) as staged:
        originals.put(staged)
    (tmp_path / "originals" / ".DS_Store").write_bytes(b"")
    (tmp_path / "originals" / SHA256[:2] / f"{SHA256}.bak").write_bytes(b"")
    (tmp_path / "originals" / "zz").mkdir()
    (tmp_path / "originals" / "zz" / SHA256).write_bytes(b"")
    (tmp_path / "incoming" / "README").write_bytes(b"")
    assert list(originals.list()) == [SHA256]
    assert staging.abandoned.count(-60) == 0


def test_only_old_temporary_files_are_abandoned(staging: Staging) -> None:
    with staged_in(staging) as fresh, staged_in(staging) as old:
        an_hour_and_a_bit_ago = fresh.path.stat().st_mtime - 3601
        os.utime(old.path, (an_hour_and_a_bit_ago, an_hour_and_a_bit_ago))
        assert staging.abandoned.count(3600) == 1
        assert staging.abandoned.remove(3600) == 1
        assert (fresh.path.exists(), old.path.exists()) == (True, False)


def test_uploads_that_come_and_go_do_not_disturb_the_search_for_abandoned_ones(staging: Staging) -> None:
    stop = threading.Event()

    def come_and_go() -> None:
        while not stop.is_set():
            with staging.stage(1):
                pass

    def searches() -> Iterator[int]:
        for _ in range(300):
            yield staging.abandoned.count(3600)

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        assert not any(searches())
    finally:
        stop.set()
        thread.join()


def test_a_blob_is_read_by_its_key_whole_or_in_parts(originals: LocalBlobs, staging: Staging) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    with staged_in(staging) as staged:
        originals.put(staged)
    with originals.open(SHA256) as file:
        assert file.read() == DATA
        originals.delete(SHA256)
        file.seek(5)
        assert file.read(3) == DATA[5:8], "what is open stays readable"
    with staged_in(staging) as staged:
        originals.put(staged)
    assert originals.read_range(SHA256, 0, len(DATA) + 1) == DATA
    assert originals.read_range(SHA256, 3, 4) == DATA[3:7]
    assert originals.read_range(SHA256, len(DATA) - 2, 100) == DATA[-2:]
    found = originals.stat(SHA256)
    assert found is not None
    assert found.size == len(DATA)
    assert before < found.modified_at <= datetime.now(UTC)


def test_what_is_not_there_is_missing(originals: LocalBlobs) -> None:
    assert originals.stat(SHA256) is None
    with pytest.raises(FileNotFoundError):
        originals.open(SHA256)
    with pytest.raises(FileNotFoundError):
        originals.read_range(SHA256, 0, 1)
    with pytest.raises(FileNotFoundError):
        originals.trash.open(SHA256)
    originals.set_aside(SHA256, datetime.now(UTC))
    assert list(originals.trash.each()) == []


def test_what_was_set_aside_comes_back_unless_it_is_damaged(originals: LocalBlobs, staging: Staging) -> None:
    with staged_in(staging) as staged:
        originals.put(staged)
    originals.set_aside(SHA256, datetime.now(UTC))
    assert originals.stat(SHA256) is None
    (removed,) = originals.trash.each()
    assert (removed.key, removed.size) == (SHA256, len(DATA))
    assert originals.put_back(removed)
    assert originals.read_range(SHA256, 0, len(DATA) + 1) == DATA
    assert list(originals.trash.each()) == []
    Path(originals.local_path(SHA256)).write_bytes(DATA[1:])
    originals.set_aside(SHA256, datetime.now(UTC))
    (removed,) = originals.trash.each()
    assert not originals.put_back(removed)
    assert originals.stat(SHA256) is None
    assert [each.size for each in originals.trash.each()] == [len(DATA) - 1]


def test_a_disk_that_takes_no_more_is_an_error_of_its_own(
    originals: LocalBlobs, staging: Staging, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with staged_in(staging) as staged, monkeypatch.context() as full:
        full.setattr(os, "replace", refuse)
        with pytest.raises(Error):
            originals.put(staged)
    assert originals.stat(SHA256) is None
