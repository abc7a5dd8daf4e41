"""`tintype import`: files and folders into the library."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from enum import StrEnum
from pathlib import Path
from uuid import UUID

import rich_click as click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tintype.cli.finding import Found, NotAFile, Skipped, find, open_regular
from tintype.cli.library import data_option, make_library, plain_errors, run_with_services
from tintype.cli.words import printable
from tintype.core import Services
from tintype.core.access.auth import get_or_create_person
from tintype.core.library.ingest import examine, keep, present, stage
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
    PASSED = "passed over"


@click.command("import")
@data_option
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--account", default="default", show_default=True, help="The account; made if it is new.")
@click.option(
    "--person", default="Administrator", show_default=True, help="Whose uploads these are; added if new."
)
@click.option("--archived", is_flag=True, help="Import them as archived.")
@click.option("--follow-symlinks", is_flag=True, help="Follow symbolic links below folders, out of them too.")
@plain_errors
def import_images(
    data: Path, paths: tuple[Path, ...], account: str, person: str, *, archived: bool, follow_symlinks: bool
) -> None:
    """Import image files, and folders with all that is below them.

    In folders, files that aren't named like an image are passed over, symbolic links too; these are listed,
    as is whatever is no regular file. An image that the account has already, with the same bytes and the
    same file name, is not imported again: after an interruption run the same command again. Refused files
    are listed; the exit status is 1 when there is one.
    """
    settings = make_library(data)
    files, skipped = _sort(find(paths, settings.data, follow=follow_symlinks))
    status = Status.ARCHIVED if archived else Status.ACTIVE

    async def work(services: Services) -> Counter[Outcome]:
        owner, who = await get_or_create_person(services, account, person)
        caller = Caller(owner, who, NO_TOKEN, "import", Role.EDITOR, frozenset())
        return await _import_all(services, caller, files, status)

    outcomes = skipped + asyncio.run(run_with_services(settings, work))
    told = [each for each in Outcome if each is not Outcome.PASSED or outcomes[each]]
    click.echo(", ".join(f"{outcomes[each]} {each.value}" for each in told) + ".")
    if outcomes[Outcome.REFUSED]:
        raise SystemExit(1)


def _sort(found: Iterator[Found | Skipped]) -> tuple[list[Found], Counter[Outcome]]:
    """The files; and what is not imported, said and counted."""
    files, skipped = [], Counter[Outcome]()
    for each in found:
        if isinstance(each, Found):
            files.append(each)
        else:
            skipped[Outcome.REFUSED if each.is_fault else Outcome.PASSED] += 1
            click.echo(f"{printable(each.path)}: {each.reason}", err=True)
    return files, skipped


async def _import_all(
    services: Services, caller: Caller, files: list[Found], status: Status
) -> Counter[Outcome]:
    outcomes: Counter[Outcome] = Counter()
    columns = (TextColumn("Importing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=len(files))
        waiting = iter(files)

        async def take_turns() -> None:
            for found in waiting:
                outcome, reason = await _import_one(services, caller, found, status)
                outcomes[outcome] += 1
                progress.advance(task)
                if reason:
                    said = f"{printable(found.path)}: {reason}"
                    progress.console.print(said, markup=False, highlight=False, soft_wrap=True)

        await _together([asyncio.create_task(take_turns()) for _ in range(AT_ONCE)])
    return outcomes


async def _together(tasks: list[asyncio.Task[None]]) -> None:
    """Wait for all; when one fails, or we are stopped, also until every other has cleaned up after itself."""
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            # Once: a second time would break off the cleaning up.
            if not task.cancelling():
                task.cancel()
        await asyncio.wait(tasks)


async def _import_one(
    services: Services, caller: Caller, found: Found, status: Status
) -> tuple[Outcome, str]:
    name = found.path.name
    try:
        async with stage(services, _read(services, found), services.images.max_bytes) as staged:
            if await present(services, caller, staged.sha256, name):
                return Outcome.PRESENT, ""
            info = await examine(services, caller, staged)
            await keep(services, caller, staged, info, name, status=status, unique=True)
    except Error as error:
        if error.kind is Kind.CONFLICT:
            # The same file in two folders, under way at the same time.
            return Outcome.PRESENT, ""
        return Outcome.REFUSED, str(error)
    except (NotAFile, OSError) as error:
        return Outcome.REFUSED, getattr(error, "strerror", None) or str(error)
    return Outcome.IMPORTED, ""


async def _read(services: Services, found: Found) -> AsyncIterator[bytes]:
    with await services.workers.disk(open_regular, found) as file:
        size, limit = os.fstat(file.fileno()).st_size, services.images.max_bytes
        if size > limit:
            # Before a byte of it is copied.
            raise Error(Kind.TOO_LARGE, f"It has {size} bytes; the most accepted is {limit}.")
        while chunk := await services.workers.disk(file.read, READ_SIZE):
            yield chunk
