"""`tintype attach` and `tintype detach`: the places, such as products, that images are shown at."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import rich_click as click

from tintype.cli.arguments import parse_image_key
from tintype.cli.library import data_option, plain_errors, with_services
from tintype.core import Services
from tintype.core.library.placement import attach_any, detach_any
from tintype.model import Placement

Command = TypeVar("Command", bound=Callable[..., object])


def place_arguments(command: Command) -> Command:
    """Add the arguments for an image and a place."""
    arguments = (click.argument(name) for name in ("image", "kind", "container", "holder"))
    for add in reversed([*arguments, click.argument("slot", default="")]):
        command = add(command)
    return command


@click.command()
@data_option
@place_arguments
@plain_errors
def attach(data: Path, image: str, kind: str, container: str, holder: str, slot: str) -> None:
    """Attach IMAGE (an id, a short id or a number) to a place of a dialect.

    A product of evotor: tintype attach IMAGE product STORE PRODUCT

    A cell of smartsheet: tintype attach IMAGE cell SHEET ROW COLUMN

    The image has to keep the rules of the dialect: that of a product is a PNG of 300 by 300 pixels. A place
    that has another image is not changed.
    """
    placement = Placement(kind, container, holder, slot)

    async def work(services: Services) -> None:
        await attach_any(services, parse_image_key(image), placement)

    with_services(data, work)


@click.command()
@data_option
@place_arguments
@plain_errors
def detach(data: Path, image: str, kind: str, container: str, holder: str, slot: str) -> None:
    """Detach IMAGE (an id, a short id or a number) from a place of a dialect; the image itself stays.

    The arguments are those of `tintype attach`.
    """
    placement = Placement(kind, container, holder, slot)

    async def work(services: Services) -> None:
        await detach_any(services, parse_image_key(image), placement)

    with_services(data, work)
