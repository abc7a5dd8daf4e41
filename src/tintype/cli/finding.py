"""Image files below folders, for `tintype import`: what is one by its name, and what is passed over."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from tintype.imaging import Format, extension_fits

Identity = tuple[int, int]
"""Device and inode: the same for every path that leads to a folder."""


class Found(Struct, frozen=True):
    """A file to import; `follows`: also where a symbolic link leads."""

    path: Path
    follows: bool


class Skipped(Struct, frozen=True):
    """What is not imported, and why; `is_fault`: it should have been."""

    path: Path
    reason: str
    is_fault: bool = False


class NotAFile(Exception):  # noqa: N818  it is a finding about a path
    """What is there is no regular file."""


def find(paths: tuple[Path, ...], library: Path, *, follow: bool) -> Iterator[Found | Skipped]:
    """The files that were named, and those below named folders that are named like an image.

    Args:
        paths: files and folders; they themselves may be symbolic links.
        library: a folder that is passed over: its renditions are named like images too.
        follow: whether to follow symbolic links below the folders, wherever they lead.
    """
    visited = {_identity(library.stat())}
    for path in paths:
        if path.is_dir():
            yield from _below(path, visited, follow=follow)
        else:
            yield Found(path, follows=True)


def open_regular(found: Found) -> BinaryIO:
    """Open a file, without waiting for anybody: what else can lie at a path is not read.

    Raises:
        NotAFile: when it is a FIFO, a device, a socket or a folder.
        OSError: when it can't be opened, or has become a symbolic link.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if found.follows else os.O_NOFOLLOW)
    file = os.fdopen(os.open(found.path, flags), "rb", buffering=0)
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise NotAFile("This is no regular file.")


def _below(top: Path, visited: set[Identity], *, follow: bool) -> Iterator[Found | Skipped]:
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        try:
            identity = _identity(folder.stat())
            entries = [] if identity in visited else sorted(os.scandir(folder), key=lambda each: each.name)
        except OSError as error:
            yield Skipped(folder, error.strerror or str(error), is_fault=True)
            continue
        visited.add(identity)
        waiting += [Path(each) for each in reversed(entries) if each.is_dir(follow_symlinks=follow)]
        for entry in entries:
            if not entry.is_dir(follow_symlinks=follow):
                yield from _look(entry, follow=follow)


def _look(entry: os.DirEntry[str], *, follow: bool) -> Iterator[Found | Skipped]:
    path = Path(entry)
    is_folder = entry.is_dir()
    if not is_folder and not _is_named_like_an_image(path):
        return
    if entry.is_symlink() and not follow:
        yield Skipped(path, "a symbolic link; --follow-symlinks follows it")
    elif entry.is_file():
        yield Found(path, follows=follow)
    else:
        yield Skipped(path, "no regular file")


def _is_named_like_an_image(path: Path) -> bool:
    return any(extension_fits(each, path.suffix.removeprefix(".")) for each in Format)


def _identity(status: os.stat_result) -> Identity:
    return status.st_dev, status.st_ino
