"""`tintype import`: add image files and folders to the library."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from enum import StrEnum
from pathlib import Path
from uuid import UUID

import rich_click as click
from msgspec import Struct
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tintype.cli.arguments import printable
from tintype.cli.image_files import ImageFile, NotRegularFile, Skipped, find_image_files, open_regular
from tintype.cli.library import data_option, make_library, plain_errors, run_with_services
from tintype.core import Services
from tintype.core.access.auth import get_or_create_person
from tintype.core.library.ingest import examine, find_duplicate, record_image, stage
from tintype.model import Caller, Conflict, Error, Image, Status, TooLarge
from tintype.model.ids import short
from tintype.storage import Staged

READ_SIZE = 1024 * 1024
CONCURRENT_FILES = 4
"""Files imported at the same time: while one is decoded, others are read and synced."""

NO_TOKEN_ID = UUID(int=0)
"""The token id of this caller, who has no token: write access to the data folder is enough."""


class Outcome(StrEnum):
    """The result for one file."""

    IMPORTED = "imported"
    PRESENT = "already there"
    REFUSED = "refused"
    SKIPPED = "skipped"


class Result(Struct, frozen=True):
    """The result for one file: the image that the account has of it, or the reason why it has none."""

    outcome: Outcome
    image: Image | None = None
    reason: str = ""


@click.command("import")
@data_option
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--account", default="default", show_default=True, help="The account; created if it is new.")
@click.option(
    "--person", default="Administrator", show_default=True, help="The person who uploads; created if new."
)
@click.option("--archived", is_flag=True, help="Import them as archived.")
@click.option("--follow-symlinks", is_flag=True, help="Follow symbolic links in folders, also out of them.")
@plain_errors
def import_images(
    data: Path, paths: tuple[Path, ...], account: str, person: str, *, archived: bool, follow_symlinks: bool
) -> None:
    """Import image files, and folders with everything in them.

    Folders are searched for files with the extension of an image format. Symbolic links in them are skipped
    and listed, and so is anything that is not a regular file. An image that the account already has, with the
    same bytes and the same file name, is not imported again: after an interruption run the same command
    again. Refused files are listed; the exit status is then 1.

    Standard output has a line for each image that the account has now: its id, short id, number and path,
    with tabs between them. `tintype list` shows them later.
    """
    settings = make_library(data)
    files, skipped = _partition(find_image_files(paths, settings.data, follow=follow_symlinks))
    status = Status.ARCHIVED if archived else Status.ACTIVE

    async def work(services: Services) -> Counter[Outcome]:
        owner, who = await get_or_create_person(services, account, person)
        caller = Caller(owner, who, NO_TOKEN_ID, "import", "", frozenset())
        return await _import_all(services, caller, files, status)

    outcomes = skipped + asyncio.run(run_with_services(settings, work))
    shown = [each for each in Outcome if each is not Outcome.SKIPPED or outcomes[each]]
    click.echo(", ".join(f"{outcomes[each]} {each.value}" for each in shown) + ".", err=True)
    if outcomes[Outcome.REFUSED]:
        raise SystemExit(1)


def _partition(entries: Iterator[ImageFile | Skipped]) -> tuple[list[ImageFile], Counter[Outcome]]:
    """The files to import, and the number of the others, which are listed on standard error."""
    files, skipped = [], Counter[Outcome]()
    for each in entries:
        if isinstance(each, ImageFile):
            files.append(each)
        else:
            skipped[Outcome.REFUSED if each.is_fault else Outcome.SKIPPED] += 1
            click.echo(f"{printable(each.path)}: {each.reason}", err=True)
    return files, skipped


async def _import_all(
    services: Services, caller: Caller, files: list[ImageFile], status: Status
) -> Counter[Outcome]:
    outcomes: Counter[Outcome] = Counter()
    columns = (TextColumn("Importing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=sys.stdout.isatty()) as progress:
        task = progress.add_task("", total=len(files))
        pending = iter(files)

        async def import_next() -> None:
            for file in pending:
                result = await _import_one(services, caller, file, status)
                outcomes[result.outcome] += 1
                progress.advance(task)
                if result.image is not None:
                    click.echo(_line(result.image, file.path))
                if result.reason:
                    line = f"{printable(file.path)}: {result.reason}"
                    progress.console.print(line, markup=False, highlight=False, soft_wrap=True)

        await _gather([asyncio.create_task(import_next()) for _ in range(CONCURRENT_FILES)])
    return outcomes


async def _gather(tasks: list[asyncio.Task[None]]) -> None:
    """Wait for all tasks; after a failure or a cancellation, cancel the others and wait for their cleanup."""
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            # Only once: a second cancellation would interrupt the cleanup.
            if not task.cancelling():
                task.cancel()
        await asyncio.wait(tasks)


def _line(image: Image, path: Path) -> str:
    return f"{image.id}\t{short(image.id)}\t{image.number}\t{printable(path)}"


async def _import_one(services: Services, caller: Caller, file: ImageFile, status: Status) -> Result:
    try:
        async with stage(services, _read(services, file), services.images.max_bytes) as staged:
            return await _record(services, caller, staged, file.path.name, status)
    except Error as error:
        return Result(Outcome.REFUSED, reason=str(error))
    except (NotRegularFile, OSError) as error:
        return Result(Outcome.REFUSED, reason=getattr(error, "strerror", None) or str(error))


async def _record(services: Services, caller: Caller, staged: Staged, name: str, status: Status) -> Result:
    sha256 = staged.sha256
    present = await find_duplicate(services, caller, sha256, name)
    if present is not None:
        return Result(Outcome.PRESENT, present)
    info = await examine(services, caller, staged)
    try:
        image = await record_image(services, caller, staged, info, name, status=status, unique=True)
    except Conflict:
        # The same file in two folders, imported at the same time.
        return Result(Outcome.PRESENT, await find_duplicate(services, caller, sha256, name))
    return Result(Outcome.IMPORTED, image)


async def _read(services: Services, image_file: ImageFile) -> AsyncIterator[bytes]:
    with await services.workers.disk(open_regular, image_file) as file:
        size, limit = os.fstat(file.fileno()).st_size, services.images.max_bytes
        if size > limit:
            # Checked before anything is copied.
            raise TooLarge(f"It has {size} bytes; the most accepted is {limit}.")
        while chunk := await services.workers.disk(file.read, READ_SIZE):
            yield chunk
