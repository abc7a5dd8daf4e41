"""`tintype oauth-app`: create, list and revoke apps of OAuth 2."""

from pathlib import Path

import rich_click as click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tintype.cli.arguments import printable
from tintype.cli.library import command_actor, data_option, plain_errors, with_services
from tintype.core import Services
from tintype.core.access.oauth_apps import create_app, list_apps, revoke_app
from tintype.dialects import discover
from tintype.model import OAuthApp


@click.group("oauth-app")
def oauth_app() -> None:
    """Create, list and revoke apps that people may give access to their account, by OAuth 2.

    An app belongs to one dialect. Its secret is shown once, when it is created; it can't be computed from
    what is stored.
    """


@oauth_app.command()
@data_option
@click.option("--name", required=True, help="What people are shown when they are asked for access.")
@click.option(
    "--redirect-url",
    required=True,
    help="Where browsers are sent with the code: https, or http on this machine.",
)
@click.option("--dialect", help="The dialect whose API it uses. [default: the first that has OAuth 2]")
@plain_errors
def create(data: Path, name: str, redirect_url: str, dialect: str | None) -> None:
    """Create an app. Standard output has two lines: the client id, and the secret."""
    own = _dialect(dialect)
    actor = command_actor()

    async def make(services: Services) -> tuple[OAuthApp, str]:
        return await create_app(services, own, name, redirect_url, actor)

    app, secret = with_services(data, make)
    click.echo(app.client_id)
    click.echo(secret)
    click.echo("Save the secret now: it is not stored and can't be shown again.", err=True)


@oauth_app.command("list")
@data_option
@plain_errors
def show(data: Path) -> None:
    """List apps, without their secrets."""
    table = Table("client id", "name", "dialect", "redirect URL", "state")
    for each in with_services(data, list_apps):
        state = "valid" if each.revoked_at is None else f"revoked {each.revoked_at:%Y-%m-%d %H:%M}"
        cells = (each.client_id, each.name, each.dialect, each.redirect_url, state)
        # As Text, so that brackets in a name are not markup.
        table.add_row(*(Text(printable(cell)) for cell in cells))
    # Wide enough for one line per app in a file or a pipe.
    console = Console()
    (console if console.is_terminal else Console(width=400)).print(table)


@oauth_app.command()
@data_option
@click.argument("client_id")
@plain_errors
def revoke(data: Path, client_id: str) -> None:
    """Revoke an app at once, with its codes and tokens. CLIENT_ID is the first column of the list."""
    actor = command_actor()

    async def work(services: Services) -> OAuthApp:
        return await revoke_app(services, client_id, actor)

    app = with_services(data, work)
    click.echo(f"Revoked {app.client_id} ({printable(app.name)}).")


def _dialect(name: str | None) -> str:
    known = [each.name for each in discover() if each.api is not None and each.api.oauth]
    if not known or name not in {None, *known}:
        has = ", ".join(known) or "none"
        raise click.BadParameter(f"dialects with OAuth 2: {has}.", param_hint="--dialect")
    return name or known[0]
