"""`tintype list`: the images of the library, with their ids."""

from itertools import count
from pathlib import Path

import msgspec
import rich_click as click

from tintype.cli.arguments import printable
from tintype.cli.library import data_option, plain_errors, with_services
from tintype.core import Services
from tintype.core.library.browse import all_images
from tintype.imaging import Format, spec
from tintype.model import Image, Status
from tintype.model.ids import short
from tintype.model.list_query import ListQuery

PAGE = 500
"""Images that are read at a time."""

STATUSES = {status.name.lower(): status for status in Status}


@click.command("list")
@data_option
@click.option("--account", help="Only images of this account.")
@click.option("--search", default="", metavar="TEXT", help="Only names that contain this, in any case.")
@click.option("--status", type=click.Choice([*STATUSES]), help="Only images with this status.")
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice([each.value for each in Format]),
    help="Only this format; repeatable.",
)
@click.option("--limit", type=click.IntRange(1), metavar="NUMBER", help="At most so many images.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
@plain_errors
def list_images(
    data: Path,
    account: str | None,
    search: str,
    status: str | None,
    formats: tuple[str, ...],
    limit: int | None,
    *,
    as_json: bool,
) -> None:
    """List images with their ids, newest first.

    A line has, with tabs between them: the id (for mews and native), the short id (smartsheet), the number
    (publisher), the account, the status, the size in pixels, and the file name.
    """
    selection = ListQuery(
        extensions=tuple(each for name in formats for each in spec(Format(name)).extensions),
        statuses=() if status is None else (STATUSES[status],),
        search=search,
        limit=min(PAGE, limit or PAGE),
    )

    async def work(services: Services) -> None:
        numbers = count(1)
        async for owner, image in all_images(services, account, selection):
            click.echo(_as_json(owner, image) if as_json else _line(owner, image))
            if next(numbers) == limit:
                return

    with_services(data, work)


def _line(account: str, image: Image) -> str:
    fields = (
        image.id,
        short(image.id),
        image.number,
        printable(account),
        image.status.name.lower(),
        f"{image.width}x{image.height}",
        printable(image.filename),
    )
    return "\t".join(map(str, fields))


def _as_json(account: str, image: Image) -> str:
    fields = {
        "id": image.id,
        "short_id": short(image.id),
        "number": image.number,
        "account": account,
        "status": image.status.name.lower(),
        "filename": image.filename,
        "name": image.name,
        "format": image.format,
        "width": image.width,
        "height": image.height,
        "frames": image.frames,
        "bytes": image.bytes,
        "sha256": image.sha256,
        "version": image.version,
        "created_at": image.created_at,
        "modified_at": image.modified_at,
    }
    return msgspec.json.encode(fields).decode()
