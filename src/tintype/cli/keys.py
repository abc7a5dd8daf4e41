"""`tintype keys`: the keys that sign links."""

from pathlib import Path

import rich_click as click

from tintype.app import LINK_KEYS
from tintype.cli.library import command_actor, data_option, open_library, plain_errors, with_services
from tintype.core import Services
from tintype.core.access.keys import record_new
from tintype.core.access.keys import retire as remove
from tintype.core.access.keys import rotate as add
from tintype.core.runtime.signing import Key, Keyring, replace_broken_keys


@click.group()
def keys() -> None:
    """List, add and retire the keys that sign links.

    The newest key signs; all keys verify. To change keys without breaking links: rotate, wait until all
    important links have expired, then retire the old key.
    """


@keys.command("list")
@data_option
@plain_errors
def show(data: Path) -> None:
    """List the keys, oldest first, without their secrets."""
    for key in _keyring(data).all():
        click.echo(f"{key.id}  since {key.created_at:%Y-%m-%d %H:%M} UTC")


@keys.command()
@data_option
@plain_errors
def rotate(data: Path) -> None:
    """Add a key. A running service signs with it within a second."""
    actor = command_actor()

    async def work(services: Services) -> Key:
        return await add(services, actor)

    click.echo(f"Added {with_services(data, work).id}.")


@keys.command()
@data_option
@click.argument("key_id")
@plain_errors
def retire(data: Path, key_id: str) -> None:
    """Remove a key. Links signed with it stop working within a second."""
    actor = command_actor()

    async def work(services: Services) -> None:
        await remove(services, key_id, actor)

    with_services(data, work)
    click.echo(f"Removed {key_id}.")


@keys.command()
@data_option
@plain_errors
def new(data: Path) -> None:
    """Create a new key if the key file is missing or broken. Links signed before stop working.

    A broken file is kept as `link-keys.json.broken`. If the file is valid, use `rotate`.
    """
    path = open_library(data).data / LINK_KEYS
    if not replace_broken_keys(path):
        raise click.ClickException(f"{path} is valid; `tintype keys rotate` adds a key.")
    actor = command_actor()

    async def work(services: Services) -> Key:
        return await record_new(services, actor)

    click.echo(f"Made {with_services(data, work).id}.")


def _keyring(data: Path) -> Keyring:
    return Keyring(open_library(data).data / LINK_KEYS)
