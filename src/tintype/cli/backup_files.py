"""Shared by `tintype backup` and `tintype restore`: the files of a library, and a progress bar."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from tintype.app import INCOMING, LINK_KEYS, ORIGINALS, REMOVED
from tintype.catalogue import CATALOGUE
from tintype.core.upkeep.backup import Files, OnStart, OnStep
from tintype.model import Invalid
from tintype.settings import CONFIG_NAME
from tintype.storage import Staging
from tintype.storage.local import LocalBlobs


def library_files(folder: Path) -> Files:
    """The files of a library that belong in a backup."""
    return Files(
        folder / CATALOGUE,
        LocalBlobs(folder / ORIGINALS, folder / REMOVED),
        Staging(folder / INCOMING),
        (folder / LINK_KEYS, folder / CONFIG_NAME),
    )


@contextmanager
def progress_bar(title: str) -> Iterator[tuple[OnStart, OnStep]]:
    """Show the progress in bytes on standard error. Yields what to call at the start and for each step."""
    columns = (TextColumn(title), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:

        def start(total: int) -> None:
            progress.add_task("", total=total)

        yield start, lambda step: progress.advance(progress.task_ids[0], step)


def refuse_nested(library: Path, target: Path) -> None:
    """Check that neither folder is inside the other.

    Raises:
        Invalid: when one is.
    """
    if target.is_relative_to(library) or library.is_relative_to(target):
        raise Invalid("A backup and its library can't be inside each other.")
