"""`tintype purge`: delete the renditions of images."""

from pathlib import Path

import rich_click as click

from tintype.cli.arguments import parse_image_key
from tintype.cli.library import data_option, plain_errors, with_services
from tintype.core import Services
from tintype.core.upkeep.purge import Receipt, purge_any
from tintype.model import NotFound


@click.command()
@data_option
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@plain_errors
def purge(data: Path, images: tuple[str, ...]) -> None:
    """Delete all renditions of images, given by id or number, and list them.

    They are made again at the next request. Safe while the service runs, which stops using them within a
    second.
    """

    async def work(services: Services) -> list[Receipt]:
        return [await _purge(services, text) for text in images]

    for receipt in with_services(data, work):
        click.echo(
            f"image {receipt.image.id}: removed {len(receipt.removed)} renditions, {receipt.bytes()} bytes"
        )
        for each in receipt.removed:
            click.echo(f"  version {each.version}, recipe {each.recipe}, {each.format}, {each.bytes} bytes")


async def _purge(services: Services, text: str) -> Receipt:
    try:
        return await purge_any(services, parse_image_key(text))
    except NotFound as missing:
        raise NotFound(f"{text}: {missing}") from missing
