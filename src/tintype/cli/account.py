"""`tintype account`: what holds for one account."""

from pathlib import Path

import rich_click as click

from tintype.cli.library import command_actor, data_option, plain_errors, with_house
from tintype.core import House
from tintype.core.bound import Sizes, allow, allowed, parse_sizes


@click.group()
def account() -> None:
    """What holds for one account. Accounts are made by `tintype token create` and `tintype import`."""


@account.command("sizes")
@data_option
@click.argument("name")
@click.argument("sizes", required=False)
@click.option("--any", "anything", is_flag=True, help="Allow every size again.")
@plain_errors
def bound_sizes(data: Path, name: str, sizes: str | None, *, anything: bool) -> None:
    """Bound the sizes that links without a signature may ask of account NAME, or show them.

    SIZES are widths and heights in pixels, such as 320x240,640x,x480. What was made in other sizes before
    stays until it is purged. Signed links may ask for anything.
    """
    if anything and sizes:
        raise click.UsageError("Give sizes, or --any, not both.")
    wanted, actor = parse_sizes(sizes) if sizes else None, command_actor()

    async def work(house: House) -> Sizes | None:
        found, present = await allowed(house, name)
        if not sizes and not anything:
            return present
        await allow(house, found, wanted, actor)
        return wanted

    click.echo(with_house(data, work) or "any")
