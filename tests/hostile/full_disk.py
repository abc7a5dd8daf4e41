"""Disks of their own for a service: small enough to be filled, faulty, or only read."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A folder on a file system of so many megabytes; skips the test where none may be mounted."""
    with _mounted(folder, "-t", "tmpfs", "-o", f"size={megabytes}m", "tintype-test"):
        yield folder


@contextmanager
def faulty_disk(folder: Path) -> Iterator[tuple[Path, Callable[[], None]]]:
    """A folder on a file system of its own, and what makes that take nothing more, as after a fault."""
    image = folder.with_suffix(".ext4")
    image.write_bytes(b"")
    os.truncate(image, 64 << 20)
    _run("mkfs.ext4", "-q", str(image))
    with _mounted(folder, "-o", "loop,errors=remount-ro", str(image)):
        yield folder, lambda: _run("mount", "-o", "remount,abort", str(folder))


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder that nobody can write to, root neither; skips the test where nothing may be mounted."""
    _run("mount", "--bind", str(folder), str(folder))
    try:
        _run("mount", "-o", "remount,bind,ro", str(folder))
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def _mounted(folder: Path, *what: str) -> Iterator[None]:
    folder.mkdir()
    _run("mount", *what, str(folder))
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _run(*command: str) -> None:
    """Run what only root may; skips the test where nobody may."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    if done.returncode:
        # In CI it has to run.
        assert not os.environ.get("CI"), done.stderr
        pytest.skip(f"can't {command[0]}: {done.stderr.strip()}")


def fill(folder: Path) -> Path:
    """Another program takes all that is left; answers its file."""
    path = folder / "of-another-program"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        for size in (1 << 20, 4096, 1):
            while _append(descriptor, size):
                pass
    finally:
        os.close(descriptor)
    return path


def _append(descriptor: int, size: int) -> bool:
    try:
        return os.write(descriptor, bytes(size)) > 0
    except OSError:
        return False
