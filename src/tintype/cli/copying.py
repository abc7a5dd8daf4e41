"""What `tintype backup` and `tintype restore` share."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from tintype.app import CATALOGUE, INCOMING, LINK_KEYS, ORIGINALS, REMOVED
from tintype.core.upkeep.backup import Files, OnStart, OnStep
from tintype.model import Error, Kind
from tintype.settings import CONFIG_NAME
from tintype.storage import Originals


def files_in(folder: Path) -> Files:
    """Where a library keeps what belongs into a backup."""
    return Files(
        folder / CATALOGUE,
        Originals(folder / ORIGINALS, folder / INCOMING, folder / REMOVED),
        (folder / LINK_KEYS, folder / CONFIG_NAME),
    )


@contextmanager
def shown(what: str) -> Iterator[tuple[OnStart, OnStep]]:
    """Show on standard error how far it is, in bytes."""
    columns = (TextColumn(what), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:

        def start(total: int) -> None:
            progress.add_task("", total=total)

        yield start, lambda step: progress.advance(progress.task_ids[0], step)


def refuse_nested(library: Path, target: Path) -> None:
    """Refuse a library and a backup of which one lies in the other's folder."""
    if target.is_relative_to(library) or library.is_relative_to(target):
        raise Error(Kind.INVALID, "A backup and its library can't lie one in the other.")
