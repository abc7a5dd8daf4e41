"""Search for image files in folders, for `tintype import`."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from tintype.imaging import Format, extension_fits

Identity = tuple[int, int]
"""Device and inode number: equal for all paths of the same folder."""


class ImageFile(Struct, frozen=True):
    """A file to import; `follows`: whether it may be a symbolic link."""

    path: Path
    follows: bool


class Skipped(Struct, frozen=True):
    """A path that is not imported, and the reason; `is_fault`: whether the reason is an error."""

    path: Path
    reason: str
    is_fault: bool = False


class NotRegularFile(Exception):
    """The path is not a regular file."""


def find_image_files(
    paths: tuple[Path, ...], library: Path, *, follow: bool
) -> Iterator[ImageFile | Skipped]:
    """The given files, and the files in given folders whose extension is that of an image format.

    Args:
        paths: files and folders, which may be symbolic links.
        library: a folder to skip, because the files in it have extensions of images too.
        follow: whether to follow symbolic links in the folders, also out of them.
    """
    visited = {_identity(library.stat())}
    for path in paths:
        if path.is_dir():
            yield from _walk(path, visited, follow=follow)
        else:
            yield ImageFile(path, follows=True)


def open_regular(image_file: ImageFile) -> BinaryIO:
    """Open a regular file; never blocks on a FIFO or a device.

    Raises:
        NotRegularFile: when it is a FIFO, a device, a socket or a folder.
        OSError: when it can't be opened, or has become a symbolic link since it was found.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if image_file.follows else os.O_NOFOLLOW)
    file = os.fdopen(os.open(image_file.path, flags), "rb", buffering=0)
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise NotRegularFile("This is no regular file.")


def _walk(top: Path, visited: set[Identity], *, follow: bool) -> Iterator[ImageFile | Skipped]:
    pending = [top]
    while pending:
        folder = pending.pop()
        try:
            identity = _identity(folder.stat())
            entries = [] if identity in visited else sorted(os.scandir(folder), key=lambda each: each.name)
        except OSError as error:
            yield Skipped(folder, error.strerror or str(error), is_fault=True)
            continue
        visited.add(identity)
        pending += [Path(each) for each in reversed(entries) if each.is_dir(follow_symlinks=follow)]
        for entry in entries:
            if not entry.is_dir(follow_symlinks=follow):
                yield from _classify(entry, follow=follow)


def _classify(entry: os.DirEntry[str], *, follow: bool) -> Iterator[ImageFile | Skipped]:
    path = Path(entry)
    is_folder = entry.is_dir()
    if not is_folder and not _has_image_extension(path):
        return
    if entry.is_symlink() and not follow:
        yield Skipped(path, "a symbolic link; --follow-symlinks follows it")
    elif entry.is_file():
        yield ImageFile(path, follows=follow)
    else:
        yield Skipped(path, "no regular file")


def _has_image_extension(path: Path) -> bool:
    return any(extension_fits(each, path.suffix.removeprefix(".")) for each in Format)


def _identity(status: os.stat_result) -> Identity:
    return status.st_dev, status.st_ino
