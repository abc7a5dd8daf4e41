"""Durable file operations."""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tintype.storage import durable


def test_a_private_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    before = os.umask(0)
    try:
        durable.write_private(path, b"secret")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes() == b"secret"


def test_a_private_file_that_others_could_read_becomes_private(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_bytes(b"old")
    path.chmod(0o644)
    durable.write_private(path, b"new")
    assert path.stat().st_mode & 0o777 == 0o600


def test_writing_leaves_nothing_but_the_file(tmp_path: Path) -> None:
    durable.write_private(tmp_path / "keys", b"1")
    durable.write_private(tmp_path / "keys", b"2")
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]


def test_readers_see_the_old_bytes_or_the_new_ones(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    states = {bytes([each]) * 10_000 for each in range(2)}
    durable.write_private(path, min(states))
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            for state in states:
                durable.write_private(path, state)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert {path.read_bytes() for _ in range(500)} <= states
    finally:
        stop.set()
        writer.join()


def test_folders_are_made_with_their_parents_and_twice_without_harm(tmp_path: Path) -> None:
    durable.make_folder(tmp_path / "a" / "b" / "c")
    durable.make_folder(tmp_path / "a" / "b" / "c")
    assert (tmp_path / "a" / "b" / "c").is_dir()


def test_a_file_where_a_folder_should_be_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(OSError, match="a"):
        durable.make_folder(tmp_path / "a" / "b")


def test_who_holds_a_folder_holds_it_alone(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")

    def count() -> None:
        for _ in range(100):
            with durable.exclusive_lock(tmp_path):
                counter.write_text(str(int(counter.read_text()) + 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.read_text() == "400"


def test_a_lock_is_shared_or_held_alone_and_nobody_waits_for_it(tmp_path: Path) -> None:
    with opened(tmp_path) as one, opened(tmp_path) as another:
        assert durable.try_lock(one, fcntl.LOCK_SH)
        assert durable.try_lock(another, fcntl.LOCK_SH)
        assert not durable.try_lock(another, fcntl.LOCK_EX)
    with opened(tmp_path) as later:
        assert durable.try_lock(later, fcntl.LOCK_EX)


def test_a_lock_of_what_is_not_open_is_an_error() -> None:
    with pytest.raises(OSError, match="Bad file descriptor"):
        durable.try_lock(2**30, fcntl.LOCK_EX)


@contextmanager
def opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
