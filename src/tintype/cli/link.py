"""`tintype link`: make a signed link to an image."""

import asyncio
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import rich_click as click

from tintype.cli.arguments import parse_image_key, parse_recipe
from tintype.cli.library import data_option, open_library, plain_errors, run_with_services
from tintype.cli.serve import base_url
from tintype.cli.token import parse_duration
from tintype.core import Services
from tintype.core.delivery.invalidation import find_deliverable
from tintype.dialects import discover, find_link_writer
from tintype.imaging import Recipe
from tintype.model import Image, NotFound


@click.command("link")
@data_option
@click.argument("image")
@click.argument("params", nargs=-1)
@click.option(
    "--expires",
    callback=parse_duration,
    metavar="DURATION",
    help="How long it is valid: 90s, 30m, 12h, 7d. [default: until the image changes]",
)
@plain_errors
def make_link(data: Path, image: str, params: tuple[str, ...], expires: timedelta | None) -> None:
    """Make a signed link to IMAGE (an id, a short id or a number). Anybody who has the link can open it.

    Without PARAMS it delivers the original, with PARAMS (NAME=VALUE, see `tintype render`) a rendition.
    format=auto chooses the format by the client. Example: tintype link ID w=400 format=auto
    """
    settings = open_library(data)
    recipe = parse_recipe(params).normal() if params else None

    async def write(services: Services) -> str:
        return await _link(services, parse_image_key(image), recipe, expires)

    click.echo(base_url(settings) + asyncio.run(run_with_services(settings, write)))


async def _link(
    services: Services, image: UUID | int, recipe: Recipe | None, lifetime: timedelta | None
) -> str:
    writer = find_link_writer(discover())
    if writer is None:
        raise NotFound("No dialect that is installed has links to any rendition.")
    dialect, write = writer
    expires = None if lifetime is None else int((services.clock() + lifetime).timestamp())
    found = await _deliverable_image(services, dialect, image)
    if recipe is not None:
        services.unsigned.for_signed().require(found, recipe)
    return write(services.keyring, found, recipe, expires)


async def _deliverable_image(services: Services, dialect: str, image: UUID | int) -> Image:
    """The image, if a link of the dialect to it can be opened.

    Raises:
        NotFound: when it can't.
    """
    try:
        return (await find_deliverable(services, dialect, image)).image
    except NotFound as missing:
        why = f"it is not there, it is archived, or its account doesn't publish through {dialect}"
        raise NotFound(f"No link would open this image: {why}.") from missing
