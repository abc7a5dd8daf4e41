"""Originals: hashed and limited while uploaded, published durably, named by their digest."""

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tintype.storage import Originals, SizeLimitExceeded, Staged

DATA = b"the bytes of a picture" * 1000
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def originals(tmp_path: Path) -> Originals:
    return Originals(tmp_path / "originals", tmp_path / "incoming", tmp_path / "removed")


@contextmanager
def staged_in(originals: Originals, data: bytes = DATA) -> Iterator[Staged]:
    with originals.stage(len(data)) as staged:
        staged.write(data[:7])
        staged.write(data[7:])
        staged.seal()
        yield staged


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_staged_bytes_are_hashed_and_counted(originals: Originals) -> None:
    with staged_in(originals) as staged:
        assert staged.sha256 == SHA256
        assert staged.size == len(DATA)
        assert staged.path.read_bytes() == DATA


def test_the_limit_itself_is_taken_and_one_byte_more_is_not(originals: Originals) -> None:
    with originals.stage(10) as staged:
        staged.write(b"0123456789")
        with pytest.raises(SizeLimitExceeded):
            staged.write(b"x")


def test_what_lies_on_the_way_in_is_private(originals: Originals) -> None:
    with originals.stage(10) as staged:
        assert staged.path.stat().st_mode & 0o777 == 0o600


def test_published_bytes_lie_under_their_digest_and_nowhere_else(
    originals: Originals, tmp_path: Path
) -> None:
    with staged_in(originals) as staged:
        originals.publish(staged)
    assert originals.exists(SHA256)
    assert originals.path(SHA256).read_bytes() == DATA
    assert originals.digest(SHA256) == SHA256
    assert files_below(tmp_path) == [tmp_path / "originals" / SHA256[:2] / SHA256]
    assert list(originals.each()) == [SHA256]


def test_publishing_is_a_rename_between_two_syncs(
    originals: Originals, monkeypatch: pytest.MonkeyPatch
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
    with staged_in(originals) as staged:
        name = staged.path.name
        originals.publish(staged)
    assert (
        done
        == [
            f"sync file {name}",
            "sync folder originals",  # the entry of the new folder
            "rename",
            f"sync folder {SHA256[:2]}",
        ]
    )


def test_the_same_bytes_twice_are_one_file(originals: Originals, tmp_path: Path) -> None:
    for _ in range(2):
        with staged_in(originals) as staged:
            originals.publish(staged)
    assert len(files_below(tmp_path)) == 1


def test_what_was_not_published_is_gone_when_the_block_ends(originals: Originals, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), staged_in(originals):
        _ = 1 / 0
    assert files_below(tmp_path) == []


def test_discarding_twice_is_harmless(originals: Originals) -> None:
    with staged_in(originals) as staged:
        staged.discard()


def test_a_stage_that_was_never_opened_is_nowhere(originals: Originals, tmp_path: Path) -> None:
    staged = originals.stage(10)
    assert files_below(tmp_path) == []
    staged.discard()


def test_removed_bytes_are_gone_and_removing_them_again_is_no_error(
    originals: Originals, tmp_path: Path
) -> None:
    with staged_in(originals) as staged:
        originals.publish(staged)
    originals.remove(SHA256)
    originals.remove(SHA256)
    assert not originals.exists(SHA256)
    assert files_below(tmp_path) == []


def test_files_that_are_not_ours_are_passed_over(originals: Originals, tmp_path: Path) -> None:
    with staged_in(originals) as staged:
        originals.publish(staged)
    (tmp_path / "originals" / ".DS_Store").write_bytes(b"")
    (tmp_path / "originals" / SHA256[:2] / f"{SHA256}.bak").write_bytes(b"")
    (tmp_path / "originals" / "zz").mkdir()
    (tmp_path / "originals" / "zz" / SHA256).write_bytes(b"")
    (tmp_path / "incoming" / "README").write_bytes(b"")
    assert list(originals.each()) == [SHA256]
    assert originals.abandoned(-60) == []


def test_only_old_temporary_files_are_abandoned(originals: Originals) -> None:
    with staged_in(originals) as fresh, staged_in(originals) as old:
        an_hour_and_a_bit_ago = fresh.path.stat().st_mtime - 3601
        os.utime(old.path, (an_hour_and_a_bit_ago, an_hour_and_a_bit_ago))
        assert originals.abandoned(3600) == [old.path]


def test_uploads_that_come_and_go_do_not_disturb_the_search_for_abandoned_ones(originals: Originals) -> None:
    stop = threading.Event()

    def come_and_go() -> None:
        while not stop.is_set():
            with originals.stage(1):
                pass

    def searches() -> Iterator[list[Path]]:
        for _ in range(300):
            yield originals.abandoned(3600)

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        assert all(found == [] for found in searches())
    finally:
        stop.set()
        thread.join()
