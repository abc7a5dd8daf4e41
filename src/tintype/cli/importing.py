"""`tintype import`: files and folders into the library."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from enum import StrEnum
from pathlib import Path
from uuid import UUID

import rich_click as click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tintype.cli.library import data_option, in_house, make_library, plain_errors
from tintype.core import House
from tintype.core.ingest import examine, keep, present, stage
from tintype.core.permit import member
from tintype.imaging import Format, extension_fits
from tintype.model import Caller, Error, Kind, Role, Status

READ_SIZE = 1024 * 1024
AT_ONCE = 4
"""Files under way at the same time: while one is decoded, others are read and synced."""

NO_TOKEN = UUID(int=0)
"""Stands for the token of somebody who needs none: who can write to the data folder owns the library."""


class Outcome(StrEnum):
    """What became of a file."""

    IMPORTED = "imported"
    PRESENT = "already there"
    REFUSED = "refused"


@click.command("import")
@data_option
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--account", default="default", show_default=True, help="The account; made if it is new.")
@click.option(
    "--person", default="Administrator", show_default=True, help="Whose uploads these are; added if new."
)
@click.option("--archived", is_flag=True, help="Import them as archived.")
@plain_errors
def import_images(data: Path, paths: tuple[Path, ...], account: str, person: str, *, archived: bool) -> None:
    """Import image files, and folders with all that is below them.

    In folders, files that aren't named like an image are passed over. An image that the account has
    already, with the same bytes and the same file name, is not imported again: after an interruption
    run the same command again. Refused files are listed; the exit status is 1 when there is one.
    """
    files = list(_files(paths))
    status = Status.ARCHIVED if archived else Status.ACTIVE

    async def work(house: House) -> Counter[Outcome]:
        owner, who = await member(house, account, person)
        caller = Caller(owner, who, NO_TOKEN, "import", Role.EDITOR, frozenset())
        return await _import_all(house, caller, files, status)

    outcomes = asyncio.run(in_house(make_library(data), work))
    click.echo(", ".join(f"{outcomes[outcome]} {outcome.value}" for outcome in Outcome) + ".")
    if outcomes[Outcome.REFUSED]:
        raise SystemExit(1)


async def _import_all(house: House, caller: Caller, files: list[Path], status: Status) -> Counter[Outcome]:
    outcomes: Counter[Outcome] = Counter()
    columns = (TextColumn("Importing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=len(files))
        waiting = iter(files)

        async def take_turns() -> None:
            for path in waiting:
                outcome, reason = await _import_one(house, caller, path, status)
                outcomes[outcome] += 1
                progress.advance(task)
                if reason:
                    progress.console.print(f"{path}: {reason}", markup=False, highlight=False, soft_wrap=True)

        await asyncio.gather(*(take_turns() for _ in range(AT_ONCE)))
    return outcomes


async def _import_one(house: House, caller: Caller, path: Path, status: Status) -> tuple[Outcome, str]:
    try:
        async with stage(house, _read(house, path), house.images.max_bytes) as staged:
            if await present(house, caller, staged.sha256, path.name):
                return Outcome.PRESENT, ""
            facts = await examine(house, caller, staged)
            await keep(house, caller, staged, facts, path.name, status=status, unique=True)
    except (Error, OSError) as error:
        if isinstance(error, Error) and error.kind is Kind.CONFLICT:
            # The same file in two folders, under way at the same time.
            return Outcome.PRESENT, ""
        return Outcome.REFUSED, str(error)
    return Outcome.IMPORTED, ""


async def _read(house: House, path: Path) -> AsyncIterator[bytes]:
    with await house.workers.disk(path.open, "rb") as file:
        while chunk := await house.workers.disk(file.read, READ_SIZE):
            yield chunk


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for found in sorted(path.rglob("*")):
            if found.is_file() and any(
                extension_fits(each, found.suffix.removeprefix(".")) for each in Format
            ):
                yield found
